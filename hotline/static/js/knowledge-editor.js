// The text of an entry: saved as it is typed, ways of asking as chips, a few buttons for the answer's format.
// Whatever is not here works as a plain form.
(() => {
  "use strict";
  const PAUSE_MS = 1200, TRY_AGAIN_MS = 8000;
  const KEEPALIVE_BYTES = 60000;  // what a browser still sends for a page that is gone
  const form = document.getElementById("editor");
  if (!form) return;
  const field = (name) => document.getElementById(`f-${name}`);
  const element = (tag, words, more = {}) => Object.assign(document.createElement(tag), { textContent: words }, more);
  const typed = (node) => node.dispatchEvent(new Event("input", { bubbles: true }));

  // ---------- saving by itself ----------
  const note = document.getElementById("saved"), other = document.getElementById("conflict-notice");
  let edits = form.hasAttribute("data-unsaved") ? 1 : 0, kept = 0, savedAt = Date.parse(note.dataset.saved);
  let running = null, pending = null, timer = null, over = false, trouble = "", going = false;
  const unsaved = () => edits > kept;
  const tell = () => {
    const s = Math.max(0, Math.floor((Date.now() - savedAt) / 1000));
    note.classList.toggle("is-failed", Boolean(trouble));
    if (trouble) note.textContent = trouble;
    else if (running) note.textContent = "正在保存…";
    else if (unsaved()) note.textContent = "有改动，马上保存…";
    else if (s < 3600) note.textContent = `自动保存 ${s < 60 ? `${s} 秒` : `${Math.floor(s / 60)} 分`}前`;
  };
  const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const filled = () => {
    const data = new FormData(form);
    ["once", "files"].forEach((name) => data.delete(name));
    return data;
  };
  // somebody logged in again in another tab: the form's token is another one since
  const renewToken = async () => {
    const page = await (await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store" })).text();
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("#editor [name=csrf_token]");
    if (!fresh || fresh.value === form.elements.csrf_token.value) return false;
    form.elements.csrf_token.value = fresh.value;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": fresh.value }));
    return true;
  };
  const later = (why) => { trouble = why; timer = setTimeout(save, TRY_AGAIN_MS); return false; };
  const send = async () => {
    // sent again word for word until it is answered: the same key is never saved twice
    pending ??= { key: key(), data: filled(), upTo: edits };
    let answer;
    try {
      pending.data.set("csrf_token", form.elements.csrf_token.value);
      const headers = { Accept: "application/json", "Idempotency-Key": pending.key };
      answer = await fetch(form.dataset.save, { method: "POST", body: pending.data, headers });
      if ((answer.status === 400 || answer.status === 401) && await renewToken()) return true;
      if (answer.status === 401) return later("登录已结束，没有保存：请在新标签页重新登录，会自动再存");
    } catch { return later("连不上服务器，没有保存，稍后自动重试…"); }
    if (answer.status >= 500 || answer.status === 429) return later("服务器忙，没有保存，稍后自动重试…");
    const sent = pending;
    pending = null;
    const told = await answer.json();
    if (answer.status === 409) {
      over = true;
      trouble = "没有保存：请先对照两稿";
      other.hidden = false;
      other.scrollIntoView({ block: "nearest" });
      window.hotline.say(told.message);
      return false;
    }
    if (!answer.ok) {
      kept = sent.upTo;  // what is refused is refused again until it is changed
      trouble = `没有保存：${told.error?.message ?? "内容有误"}`;
      return false;
    }
    form.elements.revision.value = told.revision;
    form.elements.base.value = JSON.stringify(told.base);
    kept = sent.upTo;
    savedAt = Date.now();
    trouble = "";
    show(told.faults);
    document.body.dispatchEvent(new CustomEvent("saved"));
    return true;
  };
  const save = () => {
    clearTimeout(timer);
    running ??= (async () => {
      try { while (unsaved() && !over && await send()); } finally { running = null; tell(); }
    })();
    tell();
    return running;
  };
  const show = (faults) => {
    form.querySelectorAll(".field.has-error").forEach((one) => {
      one.classList.remove("has-error");
      one.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
      one.querySelector(".error")?.remove();
    });
    Object.entries(faults).forEach(([name, words]) => {
      const box = field(name)?.closest(".field");
      if (!box) return;
      box.classList.add("has-error");
      field(name).setAttribute("aria-invalid", "true");
      box.append(element("p", words, { className: "error", role: "alert" }));
    });
    if (Object.keys(faults).length) trouble = "除标红的以外已保存";
  };
  form.addEventListener("input", (event) => {
    if (event.target.type === "file" || event.target.dataset.adds !== undefined) return;
    edits += 1;
    if (over) return;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
    tell();
  });
  setInterval(tell, 1000);
  if (edits) timer = setTimeout(save, PAUSE_MS);

  // the button saves in place; whatever leads on waits until the answer on its way has brought its revision
  form.addEventListener("submit", async (event) => {
    if (going) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    addWaiting();
    if (!button?.hasAttribute("formaction")) { edits += 1; save(); return; }
    clearTimeout(timer);
    if (running) await running;
    if (over && !button.closest("#conflict-notice")) { other.scrollIntoView({ block: "nearest" }); return; }
    going = over = true;
    kept = edits;
    setTimeout(() => form.requestSubmit(button));  // not within the sending that was just stopped
  });
  document.getElementById("drop").addEventListener("submit", () => { over = true; kept = edits; clearTimeout(timer); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && unsaved()) save(); });
  window.addEventListener("beforeunload", (event) => {
    addWaiting();
    if (!unsaved()) return;
    const data = filled();
    const small = [...data.values()].join("").length * 3 < KEEPALIVE_BYTES;
    if (small && !over && !running && !pending && !trouble) {
      fetch(form.dataset.save, { method: "POST", body: data, keepalive: true, headers: { Accept: "application/json", "Idempotency-Key": key() } });
    } else event.preventDefault();  // the browser asks whether to leave
  });

  // ---------- ways of asking as chips ----------
  let addWaiting = () => {};
  document.querySelectorAll("[data-chips] textarea").forEach((area) => {
    const list = element("ul", "", { className: "kb-chips" });
    const input = element("input", "", { className: "form-control", type: "text", maxLength: 1000, autocomplete: "off" });
    input.id = `${area.id}-one`;
    input.placeholder = area.dataset.one;
    input.dataset.adds = "";
    input.setAttribute("aria-describedby", area.getAttribute("aria-describedby") ?? "");
    const lines = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const put = (all) => {
      area.value = [...new Set(all)].join("\n");
      draw();
      typed(area);
    };
    const draw = () => list.replaceChildren(...lines().map((line) => {
      const chip = element("li", "");
      const change = element("button", line, { type: "button", className: "kb-chip", title: "点一下修改" });
      change.addEventListener("click", () => {
        add();
        put(lines().filter((one) => one !== line));
        input.value = line;
        input.focus();
      });
      const drop = element("button", "×", { type: "button", className: "kb-chip-drop" });
      drop.setAttribute("aria-label", `去掉：${line}`);
      drop.addEventListener("click", () => { put(lines().filter((one) => one !== line)); input.focus(); });
      chip.append(change, drop);
      return chip;
    }));
    const add = () => {
      const fresh = input.value.split("\n").map((line) => line.trim()).filter(Boolean);
      input.value = "";
      if (fresh.length) put([...lines(), ...fresh]);
    };
    addWaiting = add;
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;  // Enter chooses a character there
      if (event.key === "Enter") { event.preventDefault(); add(); }
      const last = lines().at(-1);
      if (event.key === "Backspace" && !input.value && last) {
        event.preventDefault();
        put(lines().slice(0, -1));
        input.value = last;
      }
    });
    input.addEventListener("blur", add);
    input.addEventListener("paste", (event) => {
      const words = event.clipboardData.getData("text");
      if (!/[\r\n]/.test(words)) return;
      event.preventDefault();
      const said = words.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean);
      put([...lines(), ...said]);
    });
    document.querySelector(`label[for="${area.id}"]`).htmlFor = input.id;
    area.hidden = true;
    area.before(list, input);
    draw();
  });

  // ---------- the answer's format ----------
  const type = (area, words) => {
    area.focus();
    if (!document.execCommand("insertText", false, words)) {  // this one can be undone; not every browser has it
      area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
      typed(area);
    }
  };
  const wholeLines = (area) => {
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    const end = area.value.indexOf("\n", Math.max(area.selectionEnd - 1, start));
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
    return area.value.slice(area.selectionStart, area.selectionEnd);
  };
  const marks = {
    bold: (area) => {
      const words = area.value.slice(area.selectionStart, area.selectionEnd);
      const bare = /^\*\*([^]+)\*\*$/.exec(words);
      type(area, bare ? bare[1] : `**${words || "加粗的字"}**`);
    },
    list: (area) => type(area, wholeLines(area).split("\n").map((line) => /^- /.test(line) ? line.slice(2) : `- ${line}`).join("\n")),
    steps: (area) => type(area, wholeLines(area).split("\n").map((line, n) => `${n + 1}. ${line.replace(/^\d+\. /, "")}`).join("\n")),
    link: (area) => {
      const words = area.value.slice(area.selectionStart, area.selectionEnd);
      const start = area.selectionStart;
      type(area, `[${words || "网页名称"}](https://)`);
      area.setSelectionRange(start + (words || "网页名称").length + 3, start + (words || "网页名称").length + 11);
    },
    table: (area) => {
      const before = area.value.slice(0, area.selectionStart);
      const gap = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
      type(area, `${gap}| 情形 | 材料 |\n| --- | --- |\n|  |  |\n|  |  |\n`);
    },
  };
  document.querySelectorAll("[data-tools]").forEach((tools) => {
    const area = document.getElementById(tools.dataset.tools);
    tools.hidden = false;
    document.querySelector(`label[for="${area.id}"]`).after(tools);
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-mark]");
      if (button) marks[button.dataset.mark](area);
    });
    area.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "b") { event.preventDefault(); marks.bold(area); }
    });
  });

  // ---------- counters ----------
  document.querySelectorAll("[data-count]").forEach((area) => {
    const shown = element("p", "", { className: "note kb-count" });
    const count = () => { shown.textContent = `${[...area.value].length} / ${area.maxLength} 字`; };
    area.addEventListener("input", count);
    area.after(shown);
    count();
  });
  const chosen = document.querySelector("[data-areas]"), everywhere = "不选：全市适用";
  form.addEventListener("change", () => {
    const number = form.querySelectorAll("[name=areas]:checked").length;
    chosen.textContent = number ? `已选 ${number} 个` : everywhere;
  });
  tell();
})();
