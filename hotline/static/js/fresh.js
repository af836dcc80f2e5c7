// A list that stays true while somebody looks at it:
// <div id="inbox" data-fresh hx-get="/portal" hx-trigger="look-again" hx-select="#inbox" hx-swap="outerHTML">.
// It is read again every 15 seconds and when the tab is looked at again; not in a tab nobody sees, and not under
// somebody's hands: while a box is ticked, a dialog or menu is open or a field of it has the cursor. The row that had
// the focus keeps it, what was scrolled aside stays there, what is new is said.
(() => {
  "use strict";
  const EVERY_MS = 15000;
  let looked = Date.now();
  const kept = new Map();

  const lists = () => [...document.querySelectorAll("[data-fresh]")];
  const held = (list) => list.querySelector("input:checked, details[open]") || document.querySelector("dialog:modal")
    || (list.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), select, textarea"));
  const mark = (node) => `${node.tagName} ${node.getAttribute("href") ?? `${node.name} ${node.value}`}`;
  const rows = (list) => [...list.querySelectorAll("[data-row] a")].map((link) => link.getAttribute("href"));
  const aside = (list) => [...list.querySelectorAll(".chips, .board, .table-scroll")];
  const look = () => {
    if (document.hidden || Date.now() - looked < EVERY_MS) return;
    looked = Date.now();
    lists().filter((list) => !held(list)).forEach((list) => htmx.trigger(list, "look-again"));
  };

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const list = detail.elt;
    if (!list.matches("[data-fresh]")) return;
    if (held(list)) { detail.shouldSwap = false; return; }  // taken in hand while the answer was on its way
    const focus = list.contains(document.activeElement) ? mark(document.activeElement) : null;
    kept.set(list.id, { focus, rows: new Set(rows(list)), aside: aside(list).map((part) => part.scrollLeft) });
  });
  document.addEventListener("htmx:afterSettle", () => {
    kept.forEach((before, id) => {
      const list = document.getElementById(id);
      if (!list) return;
      aside(list).forEach((part, number) => { part.scrollLeft = before.aside[number] ?? 0; });
      if (before.focus) [...list.querySelectorAll("a, button, input")].find((node) => mark(node) === before.focus)?.focus({ preventScroll: true });
      const fresh = new Set(rows(list).filter((row) => !before.rows.has(row))).size;
      if (fresh) window.hotline.say(`新到 ${fresh} 件`, "act");
    });
    kept.clear();
  });
  setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);
})();
