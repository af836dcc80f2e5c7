// A long form in steps, for a thumb: <form data-steps> with <section data-step="name"> in it. One step is shown at a
// time; without script all of them stand one below the other. What was typed is kept in this tab until it was sent
// (sessionStorage: gone with the tab, because an account of a visit may name people).
(() => {
  "use strict";
  const set = (form) => {
    const steps = [...form.querySelectorAll("[data-step]")];
    const stops = [...form.querySelectorAll(".steps li")];
    const back = form.querySelector("[data-step-back]"), next = form.querySelector("[data-step-next]");
    const send = form.querySelector("[data-step-send]"), kept = form.querySelector("[data-kept]");
    const store = `steps:${form.dataset.steps}`;
    let at = 0;

    const fields = () => [...form.elements].filter((field) => field.name && !["csrf_token", "once"].includes(field.name) && field.type !== "submit");
    const keep = () => {
      const typed = {};
      for (const field of fields()) {
        if (["radio", "checkbox"].includes(field.type)) { if (field.checked) (typed[field.name] ||= []).push(field.value); }
        else if (field.value) typed[field.name] = [field.value];
      }
      try { sessionStorage.setItem(store, JSON.stringify(typed)); if (kept) kept.hidden = false; }
      catch { /* no room or not allowed: the form works without */ }
    };
    const fill = () => {
      let typed = null;
      try { typed = JSON.parse(sessionStorage.getItem(store)); } catch { /* as if nothing had been kept */ }
      if (!typed || form.querySelector(".has-error")) return;  // the server's answer already holds what was typed
      for (const field of fields()) {
        const values = typed[field.name];
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
      send.hidden = !last;
      if (last) review();
      if (focus) { const head = steps[at].querySelector("h2"); head.tabIndex = -1; head.focus({ preventScroll: true }); window.scrollTo({ top: 0 }); }
    };
    const review = () => form.querySelectorAll("[data-review]").forEach((out) => {
      const field = form.elements[out.dataset.review];
      const chosen = field?.length && !field.options ? [...field].find((one) => one.checked)?.closest("label").innerText : field?.value;
      out.textContent = (chosen || "").trim() || "—";
    });
    const whole = (step) => [...step.querySelectorAll("input, select, textarea")].every((field) => field.reportValidity());

    back.addEventListener("click", () => show(at - 1, true));
    next.addEventListener("click", () => { if (whole(steps[at])) show(at + 1, true); });
    stops.forEach((stop, i) => stop.addEventListener("click", () => { if (i < at || whole(steps[at])) show(i, true); }));
    form.addEventListener("input", keep);
    form.addEventListener("keydown", (event) => {  // Enter goes on, it does not send a form half filled in
      if (event.key === "Enter" && event.target.matches("input") && at < steps.length - 1) { event.preventDefault(); next.click(); }
    });
    form.addEventListener("submit", (event) => {
      if (!navigator.onLine) {
        event.preventDefault();
        event.stopImmediatePropagation();  // or the form would count as sent
        keep();
        window.hotline?.say("现在没有网络，填写的内容已留在本页。有信号后再点提交。");
      }
    }, true);
    form.noValidate = true;  // hidden steps cannot be focused; each step is checked when it is left, the server checks all
    send.addEventListener("click", (event) => {
      const wrong = steps.findIndex((step) => [...step.querySelectorAll("input, select, textarea")].some((field) => !field.checkValidity()));
      if (wrong >= 0) { event.preventDefault(); show(wrong, true); whole(steps[wrong]); }
    });

    fill();
    window.hotline?.when(form);
    const faulty = steps.findIndex((step) => step.querySelector(".has-error"));
    form.classList.add("in-steps");
    show(Math.max(faulty, 0), false);
  };
  const clear = () => document.querySelectorAll("[data-steps-done]").forEach((node) => {
    try { sessionStorage.removeItem(`steps:${node.dataset.stepsDone}`); } catch { /* nothing was kept */ }
  });
  const start = () => { clear(); document.querySelectorAll("form[data-steps]").forEach(set); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
