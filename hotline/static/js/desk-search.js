// The search box of the desk under the hands of somebody who does not leave the keyboard: Ctrl+K (or /, as on every
// page) leads there from anywhere, arrows through what was found, Enter uses it, Esc leads back to where one was.
(() => {
  "use strict";
  const box = () => document.getElementById("q");
  const uses = () => [...document.querySelectorAll("#found [data-hit] footer button")];
  const parts = (node) => node.closest?.(".answer-search, #found");
  let from = null;  // where one was before

  document.addEventListener("focusin", ({ target, relatedTarget }) => {
    if (target === box() && relatedTarget && !parts(relatedTarget)) from = relatedTarget;
  });
  const back = () => {
    if (from?.isConnected) from.focus(); else box()?.blur();
    from = null;
  };
  const show = (node) => {
    node.focus({ focusVisible: true });
    node.closest("[data-hit]")?.scrollIntoView({ block: "nearest" });
  };

  // before the rest of the desk hears of it: there Esc begins to end the call
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog:modal") || !box()) return;
    const mine = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      mine();
      box().focus();
      box().select();
      return;
    }
    const all = uses(), at = all.indexOf(event.target), typing = event.target === box();
    if (!typing && at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowDown" && all.length) { mine(); show(all[Math.min(at + 1, all.length - 1)]); }
    else if (event.key === "ArrowUp" && at >= 0) { mine(); show(all[at - 1] || box()); }
    else if (event.key === "Escape" && at >= 0) { mine(); box().focus(); }
    else if (event.key === "Escape" && typing && !box().value) { mine(); back(); }
  }, true);

  // what was found and used stands among the answers now; the box is ready for the next matter
  document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful || !detail.elt.closest?.("#found [data-hit]")) return;
    const used = document.activeElement?.closest?.("#found");
    document.getElementById("found").replaceChildren();
    box().value = "";
    if (used || document.activeElement === document.body) back();
  });
})();
