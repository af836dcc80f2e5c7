// A long form in steps, for a thumb: <form data-steps data-number> with <section data-step="name"> in it. One step is
// shown at a time; without script all of them stand one below the other. What was typed is kept with the draft
// (drafts.js) until it was sent, and sent later where there is no network.
(() => {
  "use strict";
  const NOT_KEPT = ["csrf_token", "once", "seen", "back"];
  const drafts = window.hotline.drafts;
  const set = async (form) => {
    const steps = [...form.querySelectorAll("[data-step]")];
    const stops = [...form.querySelectorAll(".steps li")];
    const back = form.querySelector("[data-step-back]"), next = form.querySelector("[data-step-next]");
    const send = form.querySelector("[data-step-send]"), kept = form.querySelector("[data-kept]");
    const { number, steps: round } = form.dataset;
    const knownSeen = () => form.elements.seen ? Number(form.elements.seen.value) : form.dataset.seen ? Number(form.dataset.seen) : null;
    let at = 0, photos = [], seen = knownSeen(), timer = null, dropping = Promise.resolve();

    const fields = () => [...form.elements].filter((field) => field.name && !NOT_KEPT.includes(field.name) && !["submit", "file", "button"].includes(field.type));
    const typed = () => {
      const found = {};
      for (const field of fields()) {
        if (field.disabled) continue;
        if (["radio", "checkbox"].includes(field.type)) { if (field.checked) (found[field.name] ||= []).push(field.value); }
        else if (field.value) found[field.name] = [field.value];
      }
      return found;
    };
    const keep = async (state = "typing") => {
      clearTimeout(timer);
      timer = null;
      try {
        const draft = await drafts.saved(number, { typed: typed(), photos, seen, round, state, words: "" });
        if (kept) kept.hidden = false;
        return draft;
      } catch { return null; }  // no room or not allowed: the form works without
    };
    const soon = () => { clearTimeout(timer); timer = setTimeout(() => { timer = null; keep(); }, 300); };
    window.addEventListener("pagehide", () => { if (timer) keep(); });  // put away in the middle of a word
    const fill = (draft) => {
      for (const field of fields()) {
        const values = draft.typed[field.name];
        if (["radio", "checkbox"].includes(field.type)) { if (values) field.checked = values.includes(field.value); }
        else if (values) field.value = values[0];
      }
      if (kept) kept.hidden = false;
    };
    const show = (index, focus) => {
      at = Math.max(0, Math.min(index, steps.length - 1));
      steps.forEach((step, i) => { step.hidden = i !== at; });
      stops.forEach((stop, i) => {
        stop.classList.toggle("past", i < at);
        if (i === at) stop.setAttribute("aria-current", "step"); else stop.removeAttribute("aria-current");
      });
      const last = at === steps.length - 1;
      back.hidden = at === 0;
      next.hidden = last;
      send.hidden = !last || form.hasAttribute("data-closed");
      if (last) review();
      if (focus) { const head = steps[at].querySelector("h2"); head.tabIndex = -1; head.focus({ preventScroll: true }); window.scrollTo({ top: 0 }); }
    };
    const review = () => {
      form.querySelectorAll("[data-review]").forEach((out) => {
        const field = form.elements[out.dataset.review];
        const chosen = field?.length && !field.options ? [...field].find((one) => one.checked)?.closest("label").innerText : field?.value;
        out.textContent = (chosen || "").trim() || "—";
      });
      const count = form.querySelectorAll(".shot-list li").length;
      form.querySelectorAll("[data-review-photos]").forEach((out) => { out.textContent = count ? `${count} 个` : "没有"; });
    };
    const whole = (step) => [...step.querySelectorAll("input, select, textarea")].every((field) => field.reportValidity());

    // one that the server may have is taken out there too, at the latest before the report goes
    const settle = async () => {
      const draft = await keep() || { number, photos, loose: true };
      const { photos: left, whole } = await drafts.takenBack(draft);
      const out = photos.filter((photo) => photo.taken);
      for (const { file } of out) if (file) form.querySelector(`[data-kept="${file}"]`)?.remove();
      photos = photos.filter((photo) => !photo.taken || left.some((one) => one.id === photo.id));
      if (!whole) window.hotline.say("这张照片可能已传到服务器，现在删不掉；联网提交前会先把它删除。");
    };
    const drop = (photo) => {
      photos = photos.map((one) => one.id === photo.id ? Object.assign(one, { taken: true }) : one);
      dropping = dropping.then(settle).catch(() => {});  // what is marked stays marked
    };

    // ---------- sending ----------
    const later = async () => {
      if (!(await keep("waiting"))) { window.hotline.say("现在没有网络，这台手机也存不下。请别关这一页，有信号后再点提交。"); return; }
      window.hotline.say("已保存，联网后自动提交。", "done");
      await drafts.show();
    };
    const go = async () => {
      if (!navigator.onLine || drafts.offline) return later();
      send.disabled = true;
      const shots = form.querySelector("[data-step=photos]");
      shots.inert = true;  // nothing is taken out while it is on its way
      await dropping;
      const draft = await keep() || { number, photos, loose: true }, words = send.lastChild.textContent;
      const headers = { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token.value };
      try {
        if (!(await drafts.upload(draft, headers, (one, all) => { send.lastChild.textContent = ` 正在上传照片 ${one}/${all}`; }))) {
          const said = draft.words;
          await keep();
          shots.inert = false;
          const place = steps.findIndex((step) => step.dataset.step === "photos");
          show(place, true);
          const fault = steps[place].querySelector("[data-photos-fault]");
          fault.textContent = said || "照片没有传上去，请稍后再试"; fault.hidden = false;
          return;
        }
        await fetch(drafts.tokenUrl, { headers: { Accept: "application/json" } });  // is the line really there?
      } catch { return await later(); }
      finally { send.disabled = false; shots.inert = false; send.lastChild.textContent = words; }
      form.dataset.checked = "1";
      form.requestSubmit(send);
    };

    back.addEventListener("click", () => show(at - 1, true));
    next.addEventListener("click", () => { if (whole(steps[at])) show(at + 1, true); });
    stops.forEach((stop, i) => stop.addEventListener("click", () => { if (i < at || whole(steps[at])) show(i, true); }));
    form.addEventListener("input", soon);
    form.addEventListener("keydown", (event) => {  // Enter goes on, it does not send a form half filled in
      if (event.key === "Enter" && event.target.matches("input") && at < steps.length - 1) { event.preventDefault(); next.click(); }
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter !== send || form.dataset.checked) return;
      event.preventDefault();
      event.stopImmediatePropagation();  // or the form would count as sent
      go();
    }, true);
    window.addEventListener("pageshow", () => { delete form.dataset.checked; });
    form.noValidate = true;  // hidden steps cannot be focused; each step is checked when it is left, the server checks all
    send.addEventListener("click", (event) => {
      const wrong = steps.findIndex((step) => [...step.querySelectorAll("input, select, textarea")].some((field) => !field.checkValidity()));
      if (wrong >= 0) { event.preventDefault(); show(wrong, true); whole(steps[wrong]); }
    });

    // ---------- what was kept ----------
    let draft = null;
    try { await drafts.ready; draft = await drafts.get(number); } catch { /* as if nothing had been kept */ }
    const anew = draft && draft.round !== round && round && draft.round && draft.state === "typing";
    if (anew) { await drafts.remove(number); draft = null; }  // that report was sent and came back
    const faulty = steps.findIndex((step) => step.querySelector(".has-error") || step.matches(".has-error"));
    if (draft) {
      // what was sent before this page was made and does not stand on it was taken out there since
      const stands = (photo) => !(photo.sent < performance.timeOrigin) || form.querySelector(`[data-kept="${photo.file}"]`);
      photos = drafts.offline ? draft.photos : draft.photos.filter(stands);
      // others moved the order since this was typed: the server shows what they did beside it
      if (form.elements.seen && draft.seen !== null && draft.seen < seen && !form.hasAttribute("data-looked") && !location.search) {
        location.replace(`?since=${draft.seen}`);
        return;
      }
      if (faulty < 0) fill(draft);  // else the server's answer already holds what was typed
      if (draft.state !== "waiting" && draft.state !== "typing") await keep();
    }
    window.hotline.photos(form, () => photos, async (changed) => { photos = changed; await keep(); }, drop);
    if (photos.some((photo) => photo.taken)) {
      for (const { taken, file } of photos) if (taken && file) form.querySelector(`[data-kept="${file}"]`)?.remove();
      if (!drafts.offline && draft?.state !== "waiting") dropping = settle().catch(() => {});  // what waits goes by itself
    }
    window.hotline.when(form);
    form.classList.add("in-steps");
    show(Math.max(faulty, 0), false);
    drafts.ready.then(() => drafts.show()).catch(() => { /* nothing is kept here */ });
  };
  const clear = () => document.querySelectorAll("[data-steps-done]").forEach((node) => {
    drafts.ready.then(() => drafts.remove(node.dataset.stepsDone)).catch(() => { /* nothing was kept */ });
  });
  const start = async () => {
    clear();
    if (drafts.offline) await drafts.ready;  // the empty form first learns which order it is for
    document.querySelectorAll("form[data-number]").forEach((form) => { if (form.dataset.number) set(form); });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
