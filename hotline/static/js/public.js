// The city's site: results while somebody types (htmx), keys, printing. Without script the search is a plain form.
(() => {
  "use strict";
  const box = document.getElementById("q"), found = document.getElementById("found");
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
  if (!box || !found) return;

  const links = () => [...found.querySelectorAll(".item a")];
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing) { event.preventDefault(); box.focus(); return; }
    const all = links(), at = all.indexOf(event.target);
    if (event.target !== box && at < 0 || !all.length) return;
    if (event.key === "ArrowDown") { event.preventDefault(); all[Math.min(at + 1, all.length - 1)].focus(); }
    else if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (all[at - 1] || box).focus(); }
    else if (event.key === "Escape" && at >= 0) box.focus();
  });
  // with words in the box the search itself asks again; without, the page is another one
  document.getElementById("area")?.addEventListener("change", (event) => {
    if (box.value.trim()) return;
    const here = new URL(location.href);
    here.searchParams.set("area", event.target.value);
    here.searchParams.delete("page");
    location.assign(here);
  });
  // what was found before a request failed would belong to other words
  document.addEventListener("htmx:sendError", () => { found.textContent = "连不上服务器，请稍后再试。"; });
  document.addEventListener("htmx:responseError", (event) => {
    found.textContent = event.detail.xhr.status === 429 ? "查找得太快了，请稍等一会儿再试。" : "暂时查不了，请稍后再试。";
  });
})();
