// The draft on the desk: what is typed is saved before anything else happens, what nobody touched follows the
// conversation. Whatever is not here works as a plain form.
(() => {
  "use strict";
  const TRY_AGAIN_MS = 8000;
  const body = document.body;
  const byId = (id) => document.getElementById(id);
  const draft = () => byId("draft"), note = () => byId("draft-note");

  // ---------- what the conversation fills in ----------
  const shownBox = () => document.querySelector("#draft-shown input");
  const shown = () => { try { return JSON.parse(shownBox().value); } catch { return {}; } };
  const field = (name) => byId(`f-${name}`);
  const valueOf = (node) => node.type === "checkbox" ? node.checked : node.value.replace(/\r\n/g, "\n").trim();
  const touched = (was) => Object.keys(was).filter((name) => field(name) && valueOf(field(name)) !== was[name]);
  body.addEventListener("said", async () => {
    const form = draft();
    if (!form) return;
    let told;
    try {
      const answer = await fetch(form.dataset.filling, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return;
      told = await answer.json();
    } catch { return; }  // the next words bring the next filling
    if (!form.isConnected || String(told.matter) !== form.elements.matter.value) return;
    const was = shown(), mine = new Set(touched(was));
    let changed = false;
    told.from_call.forEach((name) => {
      const node = field(name);
      if (!node || mine.has(name) || node === document.activeElement) return;
      if (valueOf(node) !== told.values[name]) { node.value = told.values[name]; changed = true; }
      if (valueOf(node) !== told.values[name]) return;  // a choice this page does not have
      was[name] = told.values[name];
      node.classList.add("from-call");
    });
    shownBox().value = JSON.stringify(was);
    if (changed || told.asks > document.querySelectorAll("#proposal [data-asks]").length) body.dispatchEvent(new CustomEvent("filled"));
  });
  // what was saved may have filled more (an asset tells its place): fields nobody changed here follow
  let savedOver = {};
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "draft-shown") savedOver = shown();
  });
  body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id !== "draft-shown") return;
    Object.entries(shown()).forEach(([name, value]) => {
      const node = field(name);
      if (!node || node === document.activeElement || typeof value !== "string" || value === savedOver[name]) return;
      if (valueOf(node) !== savedOver[name]) return;
      node.value = value;
      node.classList.remove("from-call");
    });
  });
  // an answer among a few fills its field as if it had been chosen there
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("button[data-choose]");
    const node = choice && field(choice.dataset.choose);
    if (!node) return;
    node.value = choice.value;
    if (node.value !== choice.value) return;  // a choice this page does not have: the form takes it to the server
    event.preventDefault();
    ["input", "change"].forEach((kind) => node.dispatchEvent(new Event(kind, { bubbles: true })));
    body.dispatchEvent(new CustomEvent("filled"));
    node.focus();  // the buttons go with the question
  });

  // ---------- saving by itself ----------
  let unsaved = 0, failedAt = 0, answered = () => {};
  const asked = new Set();  // requests of the form that have no answer yet
  document.addEventListener("input", (event) => {
    if (event.target.form?.id !== "draft") return;
    event.target.classList.remove("from-call");
    unsaved = Date.now();
  });
  // htmx sends a form where the button pressed last leads; what saves by itself only ever saves
  body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id === "draft") event.detail.path = event.detail.elt.getAttribute("hx-post");
  });
  body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const form = detail.elt.closest("#draft");
    if (!form) return;
    form.dataset.saving = Date.now();
    asked.add(detail.xhr);
  });
  body.addEventListener("htmx:afterRequest", ({ detail }) => {
    asked.delete(detail.xhr);
    if (!asked.size) answered();
    const form = detail.elt.closest("#draft");
    if (!form || detail.elt.id === "proposal") return;
    const status = detail.xhr?.status ?? 0, refused = status >= 400 && status < 500;
    const failed = !detail.successful && detail.elt === form;
    failedAt = failed && !refused ? Date.now() : 0;  // what the server refuses it refuses again
    if (detail.successful && unsaved <= Number(form.dataset.saving)) unsaved = 0;
    if (failed && note()) note().textContent = refused ? "没有保存" : "没有保存，稍后自动重试…";
    note()?.classList.toggle("is-failed", failed);
  });
  setInterval(() => {
    const at = document.querySelector("[data-saved]");
    if (at) {
      const s = Math.max(0, Math.floor((Date.now() - Date.parse(at.dataset.saved)) / 1000));
      if (s < 3600) at.textContent = `自动保存 ${s < 60 ? `${s} 秒` : `${Math.floor(s / 60)} 分`}前`;
    }
    if (failedAt && draft() && Date.now() - failedAt > TRY_AGAIN_MS) { failedAt = 0; window.htmx.trigger(draft(), "change"); }
  }, 2000);

  // ---------- whatever leads away from here first saves what was typed ----------
  const send = (form, how = {}) => fetch(form.action, {
    method: "POST", body: new FormData(form), headers: { "HX-Request": "true", Accept: "text/html" }, ...how,
  });
  const save = async () => {
    // an answer on its way would write into the page that comes, and two savings at once would race
    if (asked.size) await new Promise((ended) => { answered = ended; });
    if (!draft() || !unsaved) return true;
    try {
      if (!(await send(draft())).ok) throw new Error("refused");
      unsaved = 0;
      return true;
    } catch {
      window.hotline.say("刚才写的没有保存成功，请稍等再试。");
      return false;
    }
  };
  window.hotline.beforeLeaving(save);
  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter;
    if (form.id === "draft" && button?.hasAttribute("formaction")) {
      unsaved = 0;  // it goes with the order
      return;
    }
    if (form.id === "draft") {
      event.preventDefault();  // Enter in a field saves, it does not send the order off
      window.htmx.trigger(form, "change");
      return;
    }
    if (!unsaved || form.method !== "post" || form.hasAttribute("hx-post")) return;
    event.preventDefault();
    event.stopPropagation();
    if (await save()) form.requestSubmit(button || undefined);
  }, true);
  body.addEventListener("page-failed", () => { if (draft()) unsaved = Date.now(); });  // the order did not go off
  body.addEventListener("page", () => { unsaved = failedAt = 0; asked.clear(); });
  window.addEventListener("beforeunload", () => { if (unsaved && draft()) send(draft(), { keepalive: true }); });
})();
