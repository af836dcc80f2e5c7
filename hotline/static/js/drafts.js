// What a unit writes on the road and sends when there is network again. A draft holds an order's number, how far its
// writer knew it, what was typed and the photographs, already small; never anything of the caller. It belongs to who
// is logged in: gone at log-out (app.js) and when somebody else logs in.
(() => {
  "use strict";
  const me = document.currentScript;
  const NAME = "hotline-drafts", OF = "drafts-of", EVERY_MS = 30000, KEPT_MS = 7 * 86400 * 1000;
  const offline = me.hasAttribute("data-offline");
  const user = document.body?.dataset.user ?? document.documentElement.dataset.user ?? null;
  const tokenUrl = `${me.dataset.scope}/token`;
  const reportUrl = (number) => `${me.dataset.scope}/orders/${number}/report`;

  // over plain http a browser has neither of these two
  const id = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const alone = (act) => navigator.locks ? navigator.locks.request("hotline-send", { ifAvailable: true }, act) : act(true);

  // ---------- the store: drafts by number, orders seen by number ----------
  let opened = null;
  const open = () => opened ||= new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("drafts", { keyPath: "number" });
      asked.result.createObjectStore("seen", { keyPath: "number" });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = null; };  // somebody wipes it
      done(asked.result);
    };
    asked.onerror = () => { opened = null; failed(asked.error); };
  });
  const run = async (store, mode, act) => {
    const base = await open();
    return new Promise((done, failed) => {
      const work = base.transaction(store, mode), asked = act(work.objectStore(store));
      work.oncomplete = () => done(asked?.result);
      work.onerror = work.onabort = () => failed(work.error);
    });
  };
  const get = (number) => run("drafts", "readonly", (store) => store.get(number));
  const all = async () => (await run("drafts", "readonly", (store) => store.getAll())).sort((a, b) => a.at - b.at);
  const seenOrders = () => run("seen", "readonly", (store) => store.getAll());
  const own = () => { try { if (user) localStorage.setItem(OF, user); } catch { /* locked down: the rows still say whose they are */ } };
  // read and written in one go: the form and what sends by itself may both be at the same draft
  const change = async (number, make) => {
    own();
    let made = null;
    await run("drafts", "readwrite", (store) => {
      const asked = store.get(number);
      asked.onsuccess = () => { made = make(asked.result) || null; if (made) store.put(made); };
    });
    return made;
  };
  const remove = async (number) => { await run("drafts", "readwrite", (store) => store.delete(number)); await show(); };
  // what was learned of a photograph while it was sent is never forgotten by a form that does not know it yet
  const saved = (number, fresh) => change(number, (before) => ({
    number, user: user ?? owner(), seen: null, round: null, state: "typing", typed: {},
    once: id(), words: "", ...before, ...fresh, at: Date.now(),
    photos: (fresh.photos ?? before?.photos ?? []).map((photo) => ({ ...before?.photos.find((one) => one.id === photo.id), ...photo })),
  }));
  const owner = () => { try { return localStorage.getItem(OF); } catch { return null; } };

  // ---------- whose it is ----------
  const tidy = async () => {
    if (!user) return;
    const [drafts, seen] = await Promise.all([all(), seenOrders()]);
    if ([...drafts, ...seen].some((one) => String(one.user) !== user)) {
      await run("drafts", "readwrite", (store) => store.clear());
      await run("seen", "readwrite", (store) => store.clear());
    }
  };
  // numbers of orders on the page, so that a report can be begun where there is no network
  const remember = async () => {
    const rows = [...document.querySelectorAll("[data-order-number]")];
    if (rows.length) own();
    const over = [...document.querySelectorAll("[data-order-over]")].map((one) => one.dataset.orderOver);
    const old = (await seenOrders()).filter((one) => one.at < Date.now() - KEPT_MS).map((one) => one.number);
    for (const number of [...over, ...old]) await run("seen", "readwrite", (store) => store.delete(number));
    for (const row of rows) {
      const { orderNumber: number, orderSeen, orderRound } = row.dataset;
      if (orderSeen) await run("seen", "readwrite", (store) => store.put({ number, user, seen: Number(orderSeen), round: orderRound, at: Date.now() }));
    }
  };

  // ---------- sending ----------
  const waiting = async () => (await all()).filter((draft) => draft.state === "waiting");
  const send = () => alone(async (lock) => {
    if (!lock || !navigator.onLine) return;
    const queue = await waiting();
    if (!queue.length) return;
    let pass;
    try {
      const asked = await fetch(tokenUrl, { headers: { Accept: "application/json" } });
      if (asked.status === 401) { say("请重新登录，保存的反馈登录后自动提交。"); return; }
      if (!asked.ok) return;
      pass = await asked.json();
    } catch { return; }  // the network is not really back
    for (const draft of queue) {
      if (String(pass.user) !== String(draft.user)) return;  // another person's: the next page wipes it
      if (!(await sendOne(draft, pass.csrf_token))) return;
    }
  });
  const onPage = (number) => !offline && document.querySelector(`form[data-number="${number}"]`);
  const sendOne = async (draft, token) => {
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    try {
      if (!(await upload(draft, headers))) return true;
      if ((await get(draft.number))?.state !== "waiting") return true;  // its writer is at it again
      const body = new URLSearchParams();
      for (const [name, values] of Object.entries(draft.typed)) for (const value of values) body.append(name, value);
      if (draft.seen !== null) body.set("seen", draft.seen);
      const answer = await fetch(reportUrl(draft.number), { method: "POST", headers: { ...headers, "Idempotency-Key": draft.once }, body, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.ok) {
        await remove(draft.number);
        await run("seen", "readwrite", (store) => store.delete(draft.number));  // nothing more to report there
        say(`${draft.number} 的反馈已提交`, "done");
        if (onPage(draft.number)) location.href = `${me.dataset.scope}/orders/${draft.number}`;
      } else {
        await refused(draft, answer);
        if (onPage(draft.number) && answer.status === 409) location.replace(`${reportUrl(draft.number)}?since=${draft.seen ?? 0}`);
      }
      return answer.status < 500 && answer.status !== 429;  // a server in trouble is asked again later
    } catch { return false; }  // no network after all: it waits
    finally { await show(); }
  };
  // A photograph is `begun` once the server may have it, `sent` with its number there (`file`) once that is certain,
  // `taken` once its writer took it out. It stays to be seen and taken out until the report was accepted.
  const noted = async (draft, photo, note) => {
    note(photo);
    if (draft.loose) return photo;
    const stored = await change(draft.number, (there) => {
      const one = there?.photos.find((other) => other.id === photo.id);
      if (one) note(one);
      return one && there;
    });
    return stored?.photos.find((one) => one.id === photo.id);
  };
  const bring = async (draft, photo, headers) => {  // null: taken out meanwhile
    const there = await noted(draft, photo, (one) => { one.begun ||= !one.taken; });
    if (!there || Boolean(there.taken) !== Boolean(photo.taken)) return null;
    const body = new FormData();
    body.set("kind", photo.kind);
    body.set("files", photo.blob, photo.name);
    const answer = await fetch(`/order-files/${draft.number}`, { method: "POST", headers, body });
    if (answer.ok) {
      const [kept] = (await answer.json()).files;
      await noted(draft, photo, (one) => { one.sent = Date.now(); one.file = kept.id; });
    } else if (answer.status === 422) await noted(draft, photo, (one) => { delete one.begun; });  // certainly not kept
    return answer;
  };
  // Nothing its writer took out may be reported: the report takes along all that stands on the server, so it goes there
  // first. Returns the answer that stood in the way.
  const takeBack = async (draft, headers) => {
    for (const photo of draft.photos.filter((one) => one.taken)) {
      if (photo.begun && !photo.file) {  // the answer was lost: the same one again tells the number it has
        const answer = await bring(draft, photo, headers);
        if (answer && !answer.ok && answer.status !== 422) return answer;
      }
      const twice = draft.photos.some((one) => !one.taken && one.file === photo.file);  // the same picture chosen twice
      if (photo.file && !twice) {
        const answer = await fetch(`/order-files/${draft.number}/${photo.file}/remove`, { method: "POST", headers });
        if (!answer.ok && answer.status !== 404) return answer;
      }
      draft.photos = draft.photos.filter((one) => one.id !== photo.id);
      if (!draft.loose) await change(draft.number, (there) => there && { ...there, photos: there.photos.filter((one) => one.id !== photo.id) });
    }
    return null;
  };
  // what was taken out on the form goes at once where that can be; else its mark stays, and it goes before the report
  const takenBack = (given) => {
    const act = async () => {
      const draft = given.loose ? given : await get(given.number);
      if (!draft) return { photos: [], whole: true };
      let headers = {};
      if (draft.photos.some((one) => one.taken && one.begun)) {
        try {
          const asked = await fetch(tokenUrl, { headers: { Accept: "application/json" } });
          if (!asked.ok) return { photos: draft.photos, whole: false };
          headers = { Accept: "application/json", "X-CSRFToken": (await asked.json()).csrf_token };
        } catch { return { photos: draft.photos, whole: false }; }
      }
      try { return { whole: !(await takeBack(draft, headers)), photos: draft.photos }; }
      catch { return { photos: draft.photos, whole: false }; }
    };
    return navigator.locks ? navigator.locks.request("hotline-send", act) : act();  // not while it is being sent
  };
  const upload = async (draft, headers, told) => {
    const unhappy = await takeBack(draft, headers);
    if (unhappy) { await refused(draft, unhappy); return false; }
    const left = draft.photos.filter((photo) => !photo.sent);
    for (const photo of left) {
      told?.(draft.photos.length - left.length + left.indexOf(photo) + 1, draft.photos.length);
      const answer = await bring(draft, photo, headers);
      if (!answer) return false;
      if (!answer.ok) { await refused(draft, answer); return false; }
    }
    return true;
  };
  const refused = async (draft, answer) => {
    if (answer.status >= 500 || answer.status === 429) return;
    const told = await answer.json().then((body) => body.error?.message, () => "") || "";
    const state = { 401: "waiting", 404: "gone", 409: "moved" }[answer.status] || "refused";
    // typed words meant another order than the one there is now: sent again, it is another request
    const news = { state, words: told, once: id() };
    Object.assign(draft, news);
    if (!draft.loose) await change(draft.number, (there) => there && { ...there, ...news });
  };

  // ---------- what waits, on every page ----------
  const STATES = {
    typing: ["有没写完的反馈", "plain"], waiting: ["已保存，联网后自动提交", "soon"],
    moved: ["没有提交：工单有变化，请看过再提交", "late"], refused: ["没有提交成功，请修改", "late"],
    gone: ["没有提交：这张工单已不在本单位", "late"],
  };
  const line = (draft) => {
    const [words, tone] = STATES[draft.state], item = document.createElement("li");
    item.className = `draft tone-${tone}`;
    item.dataset.draft = draft.state;
    const link = document.createElement("a");
    link.href = draft.state === "moved" && draft.seen !== null ? `${reportUrl(draft.number)}?since=${draft.seen}` : reportUrl(draft.number);
    link.textContent = draft.number;
    const text = document.createElement("span");
    text.textContent = draft.words && draft.state !== "waiting" ? `${words}：${draft.words}` : words;
    item.append(draft.state === "gone" ? draft.number : link, text);
    if (draft.state === "gone") {
      const kept = document.createElement("details"), head = document.createElement("summary");
      head.textContent = "看写好的内容";
      const typed = document.createElement("p");
      typed.textContent = ["process", "public_reply"].flatMap((name) => draft.typed[name] ?? []).join("\n\n");
      kept.append(head, typed);
      const drop = document.createElement("button");
      drop.type = "button"; drop.className = "btn btn-sm"; drop.textContent = "删除";
      drop.addEventListener("click", () => remove(draft.number));
      item.append(kept, drop);
    }
    return item;
  };
  const show = async () => {
    const form = document.querySelector("form[data-number]");
    const drafts = (await all()).filter((draft) => draft.number !== form?.dataset.number || draft.state === "waiting");
    let list = document.getElementById("drafts");
    if (!drafts.length) { list?.remove(); return; }
    if (!list) {
      list = document.createElement("ul");
      list.id = "drafts"; list.className = "drafts"; list.setAttribute("aria-label", "保存在这台手机上的反馈"); list.setAttribute("aria-live", "polite");
      document.getElementById("main").prepend(list);
    }
    list.replaceChildren(...drafts.map(line));
  };
  const say = (text, tone) => window.hotline.say(text, tone);

  // ---------- without network ----------
  const orphan = async () => {  // the empty form finds out from the address which order it is for
    const number = location.pathname.match(/\/orders\/([\d-]+)\/report$/)?.[1];
    const known = await seenOrders(), mine = known.find((one) => one.number === number) || null;
    if (number) {
      const box = document.querySelector("[data-offline-form]"), form = box.querySelector("form");
      form.dataset.number = number;
      form.dataset.steps = mine?.round ?? "";
      form.dataset.seen = mine?.seen ?? "";
      box.querySelector("[data-offline-number]").textContent = number;
      box.hidden = false;
    }
    const list = document.querySelector("[data-offline-known]");
    const rest = known.filter((one) => one.number !== number);
    list.hidden = !rest.length;
    list.querySelector("ul").replaceChildren(...rest.map((one) => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = reportUrl(one.number); link.textContent = one.number;
      item.append(link);
      return item;
    }));
  };

  const ready = (async () => {
    await tidy();
    if (offline) await orphan(); else await remember();
    await show();
  })().catch(() => {});  // a browser that keeps nothing: the form works with network only
  window.hotline = Object.assign(window.hotline || {}, { drafts: { ready, get, saved, remove, all, send, upload, takenBack, show, offline, tokenUrl, id } });

  if ("serviceWorker" in navigator) navigator.serviceWorker.register(me.dataset.worker, { scope: me.dataset.scope }).catch(() => {});
  const again = () => { ready.then(() => send()).then(show).catch(() => {}); };
  window.addEventListener("online", again);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
  document.addEventListener("htmx:afterSettle", () => remember().catch(() => {}));
  setInterval(again, EVERY_MS);
  again();
})();
