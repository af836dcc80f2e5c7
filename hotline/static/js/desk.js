// The desk: parts that stand still while they are read, sheets, keys that do not fire by accident, and a title that
// rings. Its pages, its conversation and its draft have files of their own. Whatever is not here works as plain forms.
(() => {
  "use strict";
  const body = document.body;
  const byId = (id) => document.getElementById(id);

  // ---------- parts that are read again and again change only when they have something new ----------
  const shownLast = new Map();
  const gist = (html) => html
    .replace(/name="(csrf_token|once)" value="[^"]*"/g, "")
    .replace(/(<time class="timer"[^>]*>)[^<]*/g, "$1");
  body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target.matches("[data-still]") || !event.detail.xhr || event.detail.xhr.status >= 400) return;
    const fresh = gist(event.detail.serverResponse);
    const reading = event.detail.requestConfig.verb === "get" || target.id === "bar";
    const busy = target.id === "bar" && target.querySelector("details[open]");
    if (reading && (busy || shownLast.get(target.id) === fresh)) { event.detail.shouldSwap = false; return; }
    shownLast.set(target.id, fresh);
    // an answer somebody has opened stays open
    const open = [...target.querySelectorAll("details[open][id]")].map((node) => node.id);
    const reopen = () => open.forEach((id) => { const node = byId(id); if (node) node.open = true; });
    target.addEventListener("htmx:afterSwap", reopen, { once: true });
  });

  // ---------- sheets and what stands beside ----------
  document.addEventListener("htmx:afterSettle", () => {
    const sheet = document.querySelector("dialog[data-show]");
    if (sheet && !sheet.open) { sheet.removeAttribute("data-show"); sheet.showModal(); }
  });
  document.addEventListener("click", (event) => {
    const missing = event.target.closest("[data-missing]");
    if (missing) { const node = byId(missing.dataset.missing); setTimeout(() => node?.focus()); }
    if (event.target.closest("[data-close-peek]")) byId("peek")?.replaceChildren();
    if (event.target.closest("[data-opens=resolve]")) freshResolve();
    document.querySelectorAll(".own-state[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  // the answers used meanwhile belong into the sheet
  const freshResolve = async () => {
    const link = document.querySelector("[data-opens=resolve]");
    if (!link || !shownLast.has("suggestions")) return;
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const form = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("resolve-form");
      if (form) byId("resolve-body")?.replaceChildren(document.adoptNode(form));
    } catch { /* the sheet as it came with the page still works */ }
  };

  // ---------- keys ----------
  const TWICE_MS = 1500;
  let escaped = 0;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && byId("accept")) {
      event.preventDefault();
      byId("accept").click();
      return;
    }
    if (event.altKey && /^[1-5]$/.test(event.key)) {
      const use = document.querySelector(`#suggestions [data-key="${event.key}"]`);
      if (use) { event.preventDefault(); use.click(); }
      return;
    }
    if (event.key === "F4" && !document.querySelector("dialog:modal")) {
      const choice = document.querySelector(".which-place button");
      if (choice) { event.preventDefault(); choice.focus(); }
      return;
    }
    if (event.target.matches("input[type=search]") && event.target.value) return;  // it clears the search
    if (event.key !== "Escape" || event.repeat || document.querySelector("dialog:modal")) return;
    if (byId("peek")?.children.length) { byId("peek").replaceChildren(); return; }
    const button = document.querySelector("[data-end]");
    if (!button) return;
    const words = button.querySelector("[data-end-words]"), now = Date.now();
    if (now - escaped < TWICE_MS) { button.click(); return; }
    escaped = now;
    words.textContent = "再按一次 Esc 结束";
    setTimeout(() => { if (Date.now() - escaped >= TWICE_MS) words.textContent = "结束通话"; }, TWICE_MS + 100);
  });

  // ---------- what the rest of the page must know of ----------
  let title = document.title;
  const settle = () => {
    const ringing = document.querySelector("[data-ringing]");
    document.title = ringing ? `● 来电 ${ringing.querySelector(".number").textContent}` : title;
    // the idle page belongs to one state: another tab, or a lapsed offer, may have changed it. What this page itself
    // has sent off (the call being accepted) is not answered yet and leads on by itself.
    const idle = document.querySelector(".idle"), state = document.querySelector("#bar [data-state]")?.dataset.state;
    const strange = idle && state && state !== "offered" && state !== idle.dataset.state && !ringing;
    if (strange && !window.hotline.moving()) window.hotline.visit("/desk");
  };
  document.addEventListener("htmx:afterSettle", settle);
  body.addEventListener("page", () => { shownLast.clear(); title = document.title; settle(); });
  settle();
})();
