// The operator's headset in the browser: says how it stands in words and a shape, answers what was accepted, mutes.
// Which line it speaks (the exchange's, or the carrier's own library) is the server's to say; see headset-exchange.js
// for the interface of both. Without a headset the desk works as before: the operator's telephone rings elsewhere.
const box = document.getElementById("headset");
const part = (name) => box.querySelector(`[data-headset-${name}]`);
const words = part("words"), shape = part("shape"), level = part("level");
const onButton = part("on"), offButton = part("off"), answerButton = part("answer"), muteButton = part("mute");

const WANTED = `headset:${box.dataset.seat}`;   // this browser is their telephone: until they say otherwise
const MUTED = "headset-muted";                  // the call it holds for, so that a page loaded anew stays muted
const RENEW_AT = 0.8;                           // of the pass's time

// state → shape, words, whether the level is of interest, what the button to connect says (none: no button)
const STATES = {
  off: ["wait", "耳机未连接", false, "连接耳机"],
  none: ["wait", "", false],
  asking: ["work", "请在浏览器里允许使用麦克风", false],
  connecting: ["work", "耳机连接中…", false],
  elsewhere: ["wait", "耳机已在另一个窗口使用", false, "改在这里用"],
  fixed: ["wait", "通话在另一个窗口进行，结束后可以改在这里用", false],
  ready: ["done", "耳机已连接", true],
  ringing: ["late", "话机在响", true],
  talking: ["work", "耳机通话中", true],
  muted: ["hold", "已静音：市民听不到您", true],
  speechless: ["late", "话筒断开了：市民听不到您，插好后自动接上", false, "重新接上"],
  lost: ["late", "耳机断线，正在重连…", false],
  lostTalking: ["late", "耳机断线，正在重连，通话还在", false],
  lostCall: ["late", "耳机断线太久，这通电话已断开；正在重连…", false],
  unplugged: ["late", "话筒断开了，插好后自动连接", false, "重新连接"],
  fault: ["late", "", false, "重新连接"],
};
const OPENING = ["work", "麦克风正在打开…", false];
const ASLEEP = ["late", "没有声音：请在页面上点一下", false];  // a browser plays nothing before it was touched
const IN_CALL = ["talking", "muted", "speechless", "lostTalking"];
const FAULTS = {
  NotAllowedError: "麦克风未获允许，请点地址栏的锁形图标放行后重试",
  NotFoundError: "没有找到麦克风，插好耳机后自动接上",
  NotReadableError: "麦克风被别的程序占用，请关闭后重试",
  NotSupportedError: "此浏览器不能在电话音质下使用麦克风，请改用 Chrome 或 Edge",
};
const OR_ELSE = "；也可以用座席话机";
const NO_WORKLET = "此浏览器不支持通话声音处理，请升级浏览器，或用座席话机";
const INSECURE = "本页不是安全连接（https），浏览器不给麦克风，请用座席话机";
const FAULT = "耳机没有连上，请重试";

let headset = null, pass = null, Headset = null, state = "off", call = "", renewal = 0;
let muted = false, open = false, asleep = false, speechless = false;

const stored = (store, key) => { try { return store.getItem(key); } catch { return null; } };
const store = (where, key, value) => {
  try { if (value) where.setItem(key, value); else where.removeItem(key); } catch { /* a locked-down browser: this page only */ }
};
const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

const show = (next, text = "") => {
  state = next;
  const [, usual, metered, again] = STATES[next];
  const [mark, said, level_shown] = !metered ? [STATES[next][0], usual, false] : asleep ? ASLEEP : open ? STATES[next] : OPENING;
  box.dataset.state = next;
  box.toggleAttribute("data-in-call", Boolean(call));  // it would end, or fall silent, with this document
  shape.className = `shape shape-${mark}`;
  set(words, text || said);
  level.hidden = !level_shown;
  onButton.hidden = !again;
  set(part("on-words"), again || "");
  offButton.hidden = !headset || IN_CALL.includes(next);
  answerButton.hidden = next !== "ringing" || accepted();
  muteButton.hidden = !["talking", "muted"].includes(next);
  muteButton.setAttribute("aria-pressed", String(muted));
  set(part("mute-words"), muted ? "取消静音" : "静音");
  ring();
};
const talking = () => show(speechless ? "speechless" : muted ? "muted" : "talking");

// ---------- a call ----------
// the operator pressed Enter already, or the officer asked for the call: this page, or the one it came from, says so
const accepted = () => Boolean(document.querySelector('#bar [data-state="talking"], [data-own-call]'));
let answered = "";
const answer = () => {
  if (answered === call) return;
  answered = call;
  headset.answer();
};
const ringing = () => {
  show("ringing");
  if (accepted()) answer();
};
const mute = (on) => {
  muted = on;
  headset?.mute(on);
  store(sessionStorage, MUTED, on ? call : "");
  if (call) talking();
};
const over = () => { call = ""; muted = false; headset?.mute(false); store(sessionStorage, MUTED, ""); };

// 450 Hz, one second in five: how a telephone rings here. For an offered call, and for a line nobody accepted yet.
let bell = null, bellContext = null;
const strike = () => {
  bellContext ||= new AudioContext();
  if (bellContext.state !== "running") { bellContext.resume(); return; }
  const tone = new OscillatorNode(bellContext, { frequency: 450 }), loud = new GainNode(bellContext, { gain: 0.12 });
  tone.connect(loud).connect(bellContext.destination);
  tone.start();
  tone.stop(bellContext.currentTime + 1);
};
const ring = () => {
  const wanted = headset && (state === "ringing" && !accepted() || state === "ready" && document.querySelector("[data-ringing]"));
  if (wanted && !bell) { strike(); bell = setInterval(strike, 5000); }
  if (!wanted && bell) { clearInterval(bell); bell = null; }
};

// ---------- connecting ----------
const readPass = async () => {
  const answer = await fetch(box.dataset.pass, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
};
const renewLater = () => {
  clearTimeout(renewal);
  renewal = setTimeout(async () => {
    try {
      pass = await readPass();
      headset?.renew(pass.token);
    } catch { pass = { ...pass, ttl_s: 60 / RENEW_AT }; }  // in a minute again; the line that is open stays open
    renewLater();
  }, pass.ttl_s * RENEW_AT * 1000);
};
// ---------- one window at a time: the lock of this seat is held as long as the headset is ----------
let letGo = () => {}, queueing = new AbortController();
// Resolves when it is this window's turn: at once, when the other one has closed, or (``take``) by taking it away.
const turn = (take) => new Promise((got, failed) => {
  queueing.abort();
  const mine = queueing = new AbortController();
  const hold = () => new Promise((done) => { letGo = done; got(); });
  navigator.locks.request(WANTED, take ? { steal: true } : { signal: mine.signal }, hold).catch((fault) => {
    if (mine.signal.aborted) return;
    if (fault.name !== "AbortError") { failed(fault); return; }
    drop();
    connect();  // taken away: queue again, for the day the other window closes
  });
});
const WAITED_MS = 700;  // a page that is just being left still holds it for a moment
const elsewhere = () => show(Headset.follows || !accepted() ? "elsewhere" : "fixed");

const drop = () => {
  clearTimeout(renewal);
  headset?.close();
  headset = null;
  call = "";
  open = asleep = speechless = false;
  letGo();
};
const fail = (fault) => {
  drop();
  show(fault.name === "NotFoundError" ? "unplugged" : "fault", (FAULTS[fault.name] || FAULT) + OR_ELSE);
};
const unheard = (name) => { speechless = true; show("speechless", FAULTS[name] ? `市民听不到您：${FAULTS[name]}` : ""); };

const listenTo = (one) => one
  .on("ready", () => { if (!call) show("ready"); })
  .on("ringing", (told) => { call = told.call; ringing(); })
  .on("answered", (told) => {
    call = told.call;
    muted = stored(sessionStorage, MUTED) === call;
    one.mute(muted);
    talking();
  })
  .on("ended", () => {
    over();
    if (speechless) { drop(); show("unplugged"); } else show("ready");
  })
  .on("lost", ({ talking: held }) => {
    answered = "";  // what was said last may not have arrived
    show(held ? "lostTalking" : "lost");
  })
  .on("back", () => { if (call) talking(); })
  .on("refused", ({ reason }) => { drop(); show("fault", `耳机没有连上：${reason || "电话系统不接受"}；请重试或用座席话机`); })
  .on("replaced", () => { drop(); show("fault", "耳机已在另一处使用；要在这里用请重新连接"); })
  .on("unplugged", ({ why }) => {
    if (call) { unheard(why); return; }
    drop();
    show("unplugged");
  })
  .on("asleep", ({ on }) => {
    if (one !== headset) return;  // closing makes no sound either, and is told otherwise
    asleep = on;
    show(state);
  })
  .on("level", (heard) => { level.value = Math.min(1, heard.level * 1.5); });

const connect = async (take = false) => {
  if (!window.isSecureContext || !navigator.mediaDevices) { show("fault", INSECURE); return; }
  if (!window.AudioWorkletNode) { show("fault", NO_WORKLET); return; }
  try {
    ({ Headset } = await import(box.dataset[pass.adapter]));
    const waiting = setTimeout(elsewhere, WAITED_MS);
    await turn(take);
    clearTimeout(waiting);
    if (["elsewhere", "fixed"].includes(state) && !take && !stored(localStorage, WANTED)) {  // switched off meanwhile
      letGo();
      show("off");
      return;
    }
    show("connecting");
    headset = listenTo(new Headset({ worklet: box.dataset.worklet, library: box.dataset.library }));
    const allowed = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
    if (allowed?.state === "prompt") show("asking");
    await headset.connect(pass);
    store(localStorage, WANTED, "on");
    open = true;
    show(state === "asking" ? "connecting" : state);
    renewLater();
  } catch (fault) {
    fail(fault);
  }
};
// the microphone is there again: go on with the call, or begin anew
const plug = async () => {
  if (state !== "speechless") { start(true); return; }
  try {
    await headset.speak();
    speechless = false;
    if (call) talking();
  } catch (fault) { unheard(fault.name); }
};

onButton.addEventListener("click", () => {
  if (state === "elsewhere") connect(true);
  else plug();
});
offButton.addEventListener("click", () => { store(localStorage, WANTED, ""); drop(); show("off"); });
answerButton.addEventListener("click", answer);
muteButton.addEventListener("click", () => mute(!muted));
box.addEventListener("click", () => document.activeElement.blur());  // the next Enter belongs to the call, not to a button here
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => headset?.wake());
navigator.mediaDevices?.addEventListener("devicechange", () => { if (["speechless", "unplugged"].includes(state)) plug(); });
document.addEventListener("htmx:afterSettle", () => {
  if (state === "ringing" && accepted()) answer();
  // the line was away for too long: the desk knows that the call has gone back into the queue
  if (state === "lostTalking" && !accepted()) { over(); show("lostCall"); }
  if (["elsewhere", "fixed"].includes(state)) elsewhere();
  ring();
});
window.addEventListener("pagehide", () => headset?.close());  // the next page takes the call up within a breath
window.addEventListener("pageshow", (event) => { if (event.persisted) start(); });

const start = async (asked = false) => {
  drop();
  try { pass = await readPass(); } catch (fault) { fail(fault); return; }
  if (pass.adapter === "none") { show("none", pass.reason); return; }
  if (asked || stored(localStorage, WANTED)) connect(); else show("off");
};
start();
