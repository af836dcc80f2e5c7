// The live line. <body data-live="desk-7 queue">, and the same attribute on any part of the page that comes and goes
// (<section data-live="call-7">), open /live/stream on those channels; every hint becomes a DOM event on <body> named
// after its kind (detail.text: its words, if any; detail.channel), which htmx takes as
// hx-trigger="utterance from:body". Without the line the event "refresh" comes every 3 seconds, and from the server once
// whenever a line stands, because hints may have been missed: parts that must stay true listen to it as well.
// Read with fetch and not EventSource: that one hides the status (a full house, an ended log-in) and unknown names.
(() => {
  "use strict";
  const body = document.body;
  const wanted = () => [...new Set([...document.querySelectorAll("[data-live]")]
    .flatMap((node) => node.dataset.live.split(/\s+/).filter(Boolean)))].sort().map(encodeURIComponent);

  const POLL_MS = 3000, RETRY_MS = 15000, DEAF_MS = 25000;  // two heartbeats and a half without a sound
  const state = document.getElementById("live");
  const words = state?.querySelector("[data-live-words]");
  let channels = [], line = null, heard = Date.now(), gone = false, poll = 0;

  const tell = (kind, detail = {}) => body.dispatchEvent(new CustomEvent(kind, { detail }));
  const show = () => {
    if (!state) return;
    state.hidden = !channels.length;
    state.classList.toggle("is-gone", gone);
    const ago = Math.floor((Date.now() - heard) / 1000);
    words.textContent = gone ? "连接中断，每3秒刷新" : ago < 2 ? "实时" : `${ago} 秒前`;
    state.setAttribute("aria-live", gone ? "polite" : "off");  // a ticking second is not read out
    state.querySelector(".shape").className = `shape shape-${gone ? "late" : "done"}`;
  };
  const lost = () => {
    if (gone) return;
    gone = true;
    poll = setInterval(() => tell("refresh"), POLL_MS);
    tell("live-lost");
    show();
  };
  const found = () => {
    heard = Date.now();
    if (!gone) return;
    gone = false;
    clearInterval(poll);
    tell("live-found");
    show();
  };

  const take = (block) => {
    let kind = "message", channel = "";
    const data = [];
    for (const row of block.split("\n")) {
      const cut = row.indexOf(": ");
      const name = row.slice(0, cut), value = row.slice(cut + 2);
      if (name === "event") kind = value;
      else if (name === "id") channel = value;
      else if (name === "data") data.push(value);
    }
    found();
    if (kind === "log-in-ended") location.reload();  // lands at the door, and afterwards here again
    else if (kind === "channel-closed") tell("refresh");  // the part that asked for it goes, or the next try says so
    else if (kind !== "heartbeat") tell(kind, { text: data.join("\n"), channel });
  };
  const listen = async () => {
    line?.abort();
    line = null;
    if (!channels.length) return;
    const mine = line = new AbortController();
    try {
      const answer = await fetch("/live/stream?channel=" + channels.join("&channel="), { signal: mine.signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      found();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        blocks.forEach(take);
      }
    } catch { /* said by what follows: the page polls and tries again */ }
    if (mine !== line) return;  // a newer line has taken over
    lost();
    setTimeout(() => { if (mine === line) listen(); }, RETRY_MS);
  };

  const follow = () => {
    const now = wanted();
    if (now.join() === channels.join()) return;
    channels = now;
    if (!channels.length) { clearInterval(poll); gone = false; }
    listen();
    show();
  };
  setInterval(() => {
    if (!channels.length) return;
    if (!gone && Date.now() - heard > DEAF_MS) { lost(); listen(); }
    show();
  }, 1000);
  window.addEventListener("pagehide", () => { const old = line; line = null; old?.abort(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  window.addEventListener("online", () => { if (gone) listen(); });
  document.addEventListener("htmx:afterSettle", follow);
  follow();
})();
