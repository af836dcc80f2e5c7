// What every page shares: toasts, dialogs, keys, times that stay true. No framework; works on swapped-in parts too.
(() => {
  "use strict";

  // ---------- toasts: eight seconds, standing still while looked at ----------
  const startToast = (toast) => {
    if (toast.dataset.running) return;
    toast.dataset.running = "1";
    let left = Number(toast.dataset.toast) || 8;
    const shown = toast.querySelector("[data-countdown]");
    const tick = setInterval(() => {
      if (!toast.isConnected) return clearInterval(tick);
      if (toast.matches(":hover, :focus-within")) return;
      left -= 1;
      if (shown) shown.textContent = Math.max(left, 0);
      if (left <= 0) { clearInterval(tick); toast.remove(); }
    }, 1000);
  };
  const toasts = () => document.querySelectorAll("[data-toast]").forEach(startToast);

  // ---------- times ----------
  const two = (n) => String(n).padStart(2, "0");
  const duration = (s) => {
    s = Math.floor(Math.abs(s));
    if (s < 60) return `${s}秒`;
    if (s < 3600) return `${Math.floor(s / 60)}分`;
    if (s < 86400) { const m = Math.floor(s % 3600 / 60); return `${Math.floor(s / 3600)}小时${m ? `${m}分` : ""}`; }
    const h = Math.floor(s % 86400 / 3600);
    return `${Math.floor(s / 86400)}天${h ? `${h}小时` : ""}`;
  };
  const seconds = (iso) => (Date.now() - Date.parse(iso)) / 1000;
  const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const tickTimes = () => {
    document.querySelectorAll("[data-timer]").forEach((node) => {
      const s = Math.max(0, Math.floor(seconds(node.dataset.timer)));
      const h = Math.floor(s / 3600), m = Math.floor(s % 3600 / 60);
      set(node, h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`);
    });
    document.querySelectorAll("[data-left]").forEach((node) => {
      const left = -seconds(node.dataset.left);
      const words = node.querySelector("[data-words]");
      if (words) set(words, left >= 0 ? `还剩 ${duration(left)}` : `已超 ${duration(left)}`);
      const box = node.closest(".timeleft");
      const whole = node.dataset.from ? (Date.parse(node.dataset.left) - Date.parse(node.dataset.from)) / 1000 : 0;
      const near = whole > 0 ? whole * 0.2 : 4 * 3600;
      const tone = left < 0 ? "late" : left <= near ? "soon" : "plain";
      if (box && !box.classList.contains(`tone-${tone}`)) {
        box.classList.remove("tone-late", "tone-soon", "tone-plain");
        box.classList.add(`tone-${tone}`);
        node.querySelector(".shape")?.remove();
        if (tone !== "plain") {  // never by colour alone
          const mark = document.createElement("span");
          mark.className = `shape shape-${tone === "late" ? "late" : "work"}`;
          mark.setAttribute("aria-hidden", "true");
          node.prepend(mark);
        }
      }
      const bar = box?.querySelector("progress");
      if (bar && whole > 0) bar.value = Math.max(0, Math.min(100, 100 - left / whole * 100));
    });
    document.querySelectorAll("[data-ago]").forEach((node) => {
      const s = seconds(node.getAttribute("datetime"));  // farther away the server's words stay right
      if (s >= 0 && s < 3600) set(node, s < 60 ? "刚刚" : `${Math.floor(s / 60)}分钟前`);
    });
  };
  setInterval(tickTimes, 1000);

  // ---------- clicks ----------
  document.addEventListener("click", (event) => {
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest("[data-toast]")?.remove();

    const opener = event.target.closest("[data-opens]");
    if (opener && !event.ctrlKey && !event.metaKey) {
      const dialog = document.getElementById(opener.dataset.opens);
      if (dialog?.showModal) { event.preventDefault(); dialog.showModal(); }
    }
    if (event.target.closest("[data-print]")) window.print();
    const closer = event.target.closest("[data-closes]");
    if (closer) {
      const dialog = closer.closest("dialog");
      if (dialog?.matches(":modal")) { event.preventDefault(); dialog.close(); }
    }
    document.querySelectorAll("details.who[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // ---------- keys ----------
  const typing = (node) => node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName);
  const visible = (node) => node.offsetParent !== null && !node.disabled;
  const rows = () => [...document.querySelectorAll("[data-row]")].filter(visible);
  const focusRow = (row) => {
    const target = row.matches("a, button") ? row : row.querySelector("a, button") || row;
    target.focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const keyName = (event) => `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;  // an input method is choosing a character
    const inDialog = document.querySelector("dialog:modal");
    // a letter or Enter belongs to whoever types; function keys and combinations always work
    const free = /^(F\d+|Escape)$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey || !typing(event.target);
    if (free && !(event.key === "Enter" && event.target.closest("a, button, summary"))) {
      const scope = inDialog || document;
      const button = [...scope.querySelectorAll("[data-key]")].find((node) => node.dataset.key === keyName(event) && visible(node));
      if (button) { event.preventDefault(); button.click(); return; }
    }
    if (inDialog || typing(event.target)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = rows();
      if (!all.length) return;
      const here = all.findIndex((row) => row.contains(document.activeElement));
      const next = here < 0 ? (event.key === "ArrowDown" ? 0 : -1) : here + (event.key === "ArrowDown" ? 1 : -1);
      const row = all.at(Math.min(next, all.length - 1));
      if (row && !(here === 0 && event.key === "ArrowUp")) { event.preventDefault(); focusRow(row); }
    } else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });

  // a form is sent once, however often its button is pressed; a page come back to (back button) may send again
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("hx-post") || form.hasAttribute("hx-get")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post") form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // a shared computer: what was kept to be sent later (drafts.js) goes with whoever wrote it, at log-out and when
  // somebody else has logged in; logging out in one tab leaves no other one open
  const DRAFTS = "hotline-drafts", OF = "drafts-of";
  const wipe = () => new Promise((done) => {
    try {
      localStorage.removeItem(OF);
      const gone = indexedDB.deleteDatabase(DRAFTS);
      gone.onsuccess = gone.onerror = gone.onblocked = done;
    } catch { done(); }  // locked down: nothing was kept
  });
  // whether anything is kept, also where drafts.js does not run and for the form on this very page
  const keeps = () => new Promise((done) => {
    try {
      const asked = indexedDB.open(DRAFTS);
      asked.onupgradeneeded = () => asked.transaction.abort();  // there is none, and none shall be made
      asked.onerror = () => done(false);
      asked.onsuccess = () => {
        const base = asked.result, tell = (found) => { base.close(); done(found); };
        try {
          const count = base.transaction("drafts").objectStore("drafts").count();
          count.onsuccess = () => tell(count.result > 0);
          count.onerror = () => tell(false);
        } catch { tell(false); }
      };
    } catch { done(false); }  // locked down: nothing was kept
  });
  const strangers = () => {
    const user = document.body.dataset.user;
    try { if (user && localStorage.getItem(OF) && localStorage.getItem(OF) !== user) wipe(); } catch { /* locked down */ }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-log-out]") || event.defaultPrevented) return;
    event.preventDefault();
    keeps().then(async (kept) => {
      // nobody could bring it back
      if (kept && !confirm("这台手机上还有没提交的反馈，退出登录会把它删除。确定退出吗？")) { delete form.dataset.sent; return; }
      await wipe();
      try { localStorage.setItem("log-out", Date.now()); } catch { /* locked down */ }
      form.submit();
    });
  });
  window.addEventListener("storage", (event) => { if (event.key === "log-out") setTimeout(() => location.reload(), 500); });

  // on a narrow screen a row of rooms or filters is longer than it is wide: what is chosen stands in the middle
  const chosen = () => document.querySelectorAll(".rooms [aria-current], .chips [aria-current]").forEach((link) => {
    const row = link.parentElement, at = link.getBoundingClientRect();
    row.scrollLeft += at.left + at.width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;
  });

  const fresh = () => { toasts(); tickTimes(); };
  document.addEventListener("htmx:afterSettle", fresh);
  // what a hand sent off was lost; what the page asks for by itself it asks for again
  const byHand = (event) => event.detail.requestConfig?.triggeringEvent?.isTrusted;
  document.addEventListener("htmx:sendError", (event) => say(byHand(event) ? "连不上服务器，刚才的操作没有送出，请稍后再试。" : "连不上服务器，页面暂时不会更新，恢复后会自动继续。"));
  document.addEventListener("htmx:timeout", () => say("服务器没有及时回应，请看清结果后再试。"));

  const say = (text, tone = "late") => {
    const said = [...document.querySelectorAll("#toasts .toast-line")].some((line) => line.textContent === text);
    if (said) return;  // once is enough
    const line = document.createElement("div");
    line.className = `toast-line tone-${tone}`;
    line.dataset.toast = "8";
    line.setAttribute("role", tone === "late" ? "alert" : "status");
    line.textContent = text;
    document.getElementById("toasts")?.append(line);
    startToast(line);
  };
  window.hotline = Object.assign(window.hotline || {}, { say, duration });
  const begin = () => { fresh(); chosen(); strangers(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
