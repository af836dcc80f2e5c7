// Ticking what is to be published together: all at once, and how many; two texts side by side: who writes, chooses.
(() => {
  "use strict";
  const bulk = document.querySelector("[data-bulk]");
  if (bulk) {
    const all = bulk.querySelector("[data-all]"), told = bulk.querySelector("[data-ticked]");
    const boxes = () => [...bulk.querySelectorAll("[name=version]")];
    const count = () => {
      const ticked = boxes().filter((box) => box.checked).length;
      told.textContent = ticked ? `${ticked} 条` : "";
      all.checked = ticked > 0 && ticked === boxes().length;
      all.indeterminate = ticked > 0 && ticked < boxes().length;
    };
    all.hidden = !boxes().length;
    all.addEventListener("change", () => { boxes().forEach((box) => { box.checked = all.checked; }); count(); });
    bulk.addEventListener("change", count);
    count();
  }
  const two = document.querySelector(".kb-conflict");
  if (two) {  // what was typed stands here alone: the browser asks before it is left behind
    let sent = false;
    two.addEventListener("submit", () => { sent = true; });
    window.addEventListener("beforeunload", (event) => { if (!sent) event.preventDefault(); });
  }
  document.addEventListener("input", (event) => {
    const radios = event.target.dataset.takes && event.target.form.elements[event.target.dataset.takes];
    if (radios) radios.value = "merged";
  });
})();
