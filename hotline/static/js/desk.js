// The desk: words as they come, fields the conversation fills, saving before anything else, keys that do not fire by
// accident. Whatever is not here works as plain forms.
(() => {
  "use strict";
  const body = document.body;
  const byId = (id) => document.getElementById(id);
  const draft = () => byId("draft");

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

  // ---------- the conversation ----------
  const talk = byId("conversation"), partials = byId("partials"), pane = byId("talk-scroll"), toBottom = byId("to-bottom");
  let stick = true;
  const atBottom = () => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
  const follow = () => {
    if (stick) pane.scrollTop = pane.scrollHeight; else toBottom.hidden = false;
  };
  const place = (line) => {
    if (byId(line.id)) return;
    const ms = Number(line.dataset.ms);
    const before = [...talk.children].reverse().find((one) => Number(one.dataset.ms) <= ms);
    if (before) before.after(line); else talk.prepend(line);
    partials.querySelector(`[data-leg="${CSS.escape(line.dataset.leg)}"]`)?.remove();
  };
  let reading = null, again = false;
  const readTalk = async () => {
    if (!talk) return;
    if (reading) { again = true; return; }
    const last = Math.max(0, ...[...talk.children].map((line) => Number(line.dataset.id)));
    reading = fetch(`${talk.dataset.url}?after=${last}`, { headers: { Accept: "text/html" }, cache: "no-store" });
    try {
      const answer = await reading;
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const lines = page.querySelectorAll("li.said");
        lines.forEach((line) => place(document.adoptNode(line)));
        if (lines.length) { follow(); fillIn(); }
      }
    } catch { /* the line is down: the next refresh reads again */ }
    reading = null;
    if (again) { again = false; readTalk(); }
  };
  const partial = (event) => {
    let heard;
    try { heard = JSON.parse(event.detail.text); } catch { return; }
    const ringing = document.querySelector("[data-ringing] [data-partial-line]");
    if (ringing && event.detail.channel === ringing.closest("[data-live]").dataset.live) {
      ringing.hidden = !heard.text;
      ringing.textContent = ` ${heard.text}…`;
    }
    if (!talk || event.detail.channel !== talk.closest("[data-live]").dataset.live) return;
    let line = partials.querySelector(`[data-leg="${Number(heard.leg)}"]`);
    if (!heard.text) { line?.remove(); return; }
    if (!line) {
      line = document.createElement("li");
      line.className = `said said-partial said-${heard.track}`;
      line.dataset.leg = Number(heard.leg);
      line.innerHTML = '<span class="said-who"></span> <span class="said-at"></span><span class="said-text"><b></b><i>识别中</i></span>';
      line.querySelector(".said-who").textContent = { caller: "市民", operator: "座席" }[heard.track] || "第三方";
      partials.append(line);
    }
    line.querySelector("b").textContent = heard.text;
    follow();
  };
  body.addEventListener("partial", partial);
  if (talk) {
    body.addEventListener("utterance", readTalk);
    body.addEventListener("refresh", readTalk);
    setInterval(readTalk, 5000);  // a hint sent while the line was being opened is heard by nobody
    pane.addEventListener("scroll", () => { stick = atBottom(); if (stick) toBottom.hidden = true; }, { passive: true });
    toBottom.addEventListener("click", () => { stick = true; toBottom.hidden = true; follow(); });
    follow();
  }

  // ---------- the draft: what is typed is saved, what is not touched follows the conversation ----------
  const shownBox = () => document.querySelector("#draft-shown input");
  const shown = () => { try { return JSON.parse(shownBox().value); } catch { return {}; } };
  const field = (name) => byId(`f-${name}`);
  const valueOf = (node) => node.type === "checkbox" ? node.checked : node.value.replace(/\r\n/g, "\n").trim();
  const touched = (was) => Object.keys(was).filter((name) => field(name) && valueOf(field(name)) !== was[name]);
  const fillIn = async () => {
    const form = draft();
    if (!form) return;
    let told;
    try {
      const answer = await fetch(form.dataset.filling, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return;
      told = await answer.json();
    } catch { return; }  // the next words bring the next filling
    if (String(told.matter) !== form.elements.matter.value) return;
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
    if (changed) body.dispatchEvent(new CustomEvent("filled"));
  };
  document.addEventListener("input", (event) => {
    if (event.target.form?.id === "draft") event.target.classList.remove("from-call");
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
  });

  const TRY_AGAIN_MS = 8000;
  let unsaved = 0, failedAt = 0;
  const note = () => byId("draft-note");
  // htmx sends a form where the button pressed last leads; what saves by itself only ever saves
  body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id === "draft") event.detail.path = event.detail.elt.getAttribute("hx-post");
  });
  document.addEventListener("input", (event) => { if (event.target.form?.id === "draft") unsaved = Date.now(); });
  body.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest("#draft");
    if (form) form.dataset.saving = Date.now();
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("#draft");
    if (!form || event.detail.elt.id === "proposal") return;
    const status = event.detail.xhr?.status ?? 0, refused = status >= 400 && status < 500;
    const failed = !event.detail.successful && event.detail.elt === form;
    failedAt = failed && !refused ? Date.now() : 0;  // what the server refuses it refuses again
    if (event.detail.successful && unsaved <= Number(form.dataset.saving)) unsaved = 0;
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
  // whatever leads away from here first saves what was typed
  const save = async () => {
    const form = draft();
    if (!form || !unsaved) return true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true", Accept: "text/html" } });
      if (answer.ok) unsaved = 0;
      return answer.ok;
    } catch { return false; }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "draft" && event.submitter?.hasAttribute("formaction")) {
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
    const button = event.submitter;
    save().then((ok) => {
      if (!ok) { window.hotline.say("刚才写的没有保存成功，请稍等再试。"); return; }
      form.requestSubmit(button || undefined);
    });
  }, true);
  window.addEventListener("beforeunload", () => {
    if (unsaved && draft()) fetch(draft().action, { method: "POST", body: new FormData(draft()), keepalive: true, headers: { "HX-Request": "true" } });
  });

  // ---------- sheets and what stands beside ----------
  document.addEventListener("htmx:afterSettle", () => {
    const sheet = document.querySelector("dialog[data-show]");
    if (sheet && !sheet.open) { sheet.removeAttribute("data-show"); sheet.showModal(); }
  });
  document.addEventListener("click", (event) => {
    const missing = event.target.closest("[data-missing]");
    if (missing) { const node = byId(missing.dataset.missing); setTimeout(() => node?.focus()); }
    if (event.target.closest("[data-close-peek]")) byId("peek").replaceChildren();
    if (event.target.closest("[data-opens=resolve]")) freshResolve();
    document.querySelectorAll(".own-state[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  // the answers used meanwhile belong into the sheet
  const freshResolve = () => {
    const link = document.querySelector("[data-opens=resolve]");
    if (!link || !unsaved && shownLast.get("resolve") === undefined && !shownLast.has("suggestions")) return;
    fetch(link.href, { headers: { Accept: "text/html" }, cache: "no-store" }).then((answer) => answer.ok ? answer.text() : "").then((html) => {
      const form = new DOMParser().parseFromString(html, "text/html").getElementById("resolve-form");
      if (form) byId("resolve-body").replaceChildren(document.adoptNode(form));
    }).catch(() => { /* the sheet as it came with the page still works */ });
  };

  // ---------- keys ----------
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
    if (event.target.matches("input[type=search]") && event.target.value) return;  // it clears the search
    if (event.key !== "Escape" || event.repeat || document.querySelector("dialog:modal")) return;
    if (byId("peek")?.children.length) { byId("peek").replaceChildren(); return; }
    const button = document.querySelector("[data-end]");
    if (!button) return;
    const words = button.querySelector("[data-end-words]"), now = Date.now();
    if (now - escaped < 1500) { button.click(); return; }
    escaped = now;
    words.textContent = "再按一次 Esc 结束";
    setTimeout(() => { if (Date.now() - escaped >= 1500) words.textContent = "结束通话"; }, 1600);
  });

  // ---------- what the rest of the page must know of ----------
  const title = document.title;
  const settle = () => {
    const ringing = document.querySelector("[data-ringing]");
    document.title = ringing ? `● 来电 ${ringing.querySelector(".number").textContent}` : title;
    // the idle page belongs to one state: another tab, or a lapsed offer, may have changed it
    const idle = document.querySelector(".idle"), state = document.querySelector("#bar [data-state]")?.dataset.state;
    if (idle && state && state !== "offered" && state !== idle.dataset.state && !ringing) location.assign("/desk");
  };
  document.addEventListener("htmx:afterSettle", settle);
  settle();
})();
