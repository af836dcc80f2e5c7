// The conversation on the desk: final lines as they are written down, what is being said right now, and a pane that
// follows as long as nobody scrolled back. Tells <body> "said" when there are new lines.
(() => {
  "use strict";
  const body = document.body;
  const byId = (id) => document.getElementById(id);
  const lines = () => byId("conversation"), partials = () => byId("partials"), pane = () => byId("talk-scroll");
  const sides = { caller: "市民", operator: "座席" };

  let stick = true;
  const follow = () => {
    if (stick) pane().scrollTop = pane().scrollHeight; else byId("to-bottom").hidden = false;
  };
  document.addEventListener("scroll", ({ target }) => {
    if (target !== pane()) return;
    stick = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
    if (stick) byId("to-bottom").hidden = true;
  }, { passive: true, capture: true });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#to-bottom")) return;
    stick = true;
    byId("to-bottom").hidden = true;
    follow();
  });

  const place = (line) => {
    if (byId(line.id)) return;
    const ms = Number(line.dataset.ms);
    const before = [...lines().children].reverse().find((one) => Number(one.dataset.ms) <= ms);
    if (before) before.after(line); else lines().prepend(line);
    partials().querySelector(`[data-leg="${CSS.escape(line.dataset.leg)}"]`)?.remove();
  };
  let reading = false, again = false;
  const read = async () => {
    const list = lines();
    if (!list) return;
    if (reading) { again = true; return; }
    reading = true;
    try {
      const last = Math.max(0, ...[...list.children].map((line) => Number(line.dataset.id)));
      const answer = await fetch(`${list.dataset.url}?after=${last}`, { headers: { Accept: "text/html" }, cache: "no-store" });
      const fresh = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("li.said") : [];
      if (fresh.length && list.isConnected) {  // the page may have changed meanwhile
        fresh.forEach((line) => place(document.adoptNode(line)));
        follow();
        body.dispatchEvent(new CustomEvent("said"));
      }
    } catch { /* the line is down: the next refresh reads again */ }
    reading = false;
    if (again) { again = false; read(); }
  };
  body.addEventListener("utterance", read);
  body.addEventListener("refresh", read);
  setInterval(read, 5000);  // a hint sent while the line was being opened is heard by nobody

  body.addEventListener("partial", (event) => {
    let heard;
    try { heard = JSON.parse(event.detail.text); } catch { return; }
    const channelOf = (node) => node?.closest("[data-live]").dataset.live;
    const ringing = document.querySelector("[data-ringing] [data-partial-line]");
    if (channelOf(ringing) === event.detail.channel) {
      ringing.hidden = !heard.text;
      ringing.textContent = ` ${heard.text}…`;
    }
    if (channelOf(lines()) !== event.detail.channel) return;
    let line = partials().querySelector(`[data-leg="${Number(heard.leg)}"]`);
    if (!heard.text) { line?.remove(); return; }
    if (!line) {
      line = document.createElement("li");
      line.className = `said said-partial said-${heard.track}`;
      line.dataset.leg = Number(heard.leg);
      line.innerHTML = '<span class="said-who"></span> <span class="said-at"></span><span class="said-text"><b></b><i>识别中</i></span>';
      line.querySelector(".said-who").textContent = sides[heard.track] || "第三方";
      partials().append(line);
    }
    line.querySelector("b").textContent = heard.text;
    follow();
  });

  const begin = () => { stick = true; if (lines()) follow(); };
  body.addEventListener("page", begin);
  begin();
})();
