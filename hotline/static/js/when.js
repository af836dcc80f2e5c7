// Parts of a form that depend on a choice made above: <div data-when="solved=no|partly">. What is not asked is not sent.
// Without script every part is there, and the server takes only what belongs to the choice.
(() => {
  "use strict";
  const settle = (root) => root.querySelectorAll("[data-when]").forEach((part) => {
    const [name, values] = part.dataset.when.split("=");
    const asked = part.closest("form")?.elements[name];
    const inside = part.parentElement.closest("[data-when]"); // parts come in order: the outer one is settled by now
    const on = values.split("|").includes(asked?.value ?? "") && !inside?.hidden;
    part.hidden = !on;
    part.querySelectorAll("input, select, textarea").forEach((field) => { field.disabled = !on; });
  });
  document.addEventListener("input", (event) => { if (event.target.form) settle(event.target.form); });
  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
  window.hotline = Object.assign(window.hotline || {}, { when: settle });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => settle(document)); else settle(document);
})();
