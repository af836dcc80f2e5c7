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

// state → shape, words, and whether the level is of interest
const STATES = {
  off: ["wait", "耳机未连接", false],
  none: ["wait", "", false],
  asking: ["work", "请在浏览器里允许使用麦克风", false],
  connecting: ["work", "耳机连接中…", false],
  ready: ["done", "耳机已连接", true],
  ringing: ["late", "话机在响", true],
  talking: ["work", "耳机通话中", true],
  muted: ["hold", "已静音：市民听不到您", true],
  lost: ["late", "耳机断线，正在重连…", false],
  lostTalking: ["late", "耳机断线，正在重连，通话还在", false],
  unplugged: ["late", "话筒断开了，请插好后重新连接", false],
  fault: ["late", "", false],
};
const OPENING = ["work", "麦克风正在打开…", false];
const ASLEEP = ["late", "没有声音：请在页面上点一下", false];  // a browser plays nothing before it was touched
const FAULTS = {
  NotAllowedError: "麦克风未获允许，请点地址栏的锁形图标放行后重试；也可以用座席话机",
  NotFoundError: "没有找到麦克风，请插好耳机后重试；也可以用座席话机",
  NotReadableError: "麦克风被别的程序占用，请关闭后重试；也可以用座席话机",
  NotSupportedError: "此浏览器不能在电话音质下使用麦克风，请改用 Chrome 或 Edge，或用座席话机",
};
const NO_WORKLET = "此浏览器不支持通话声音处理，请升级浏览器，或用座席话机";
const INSECURE = "本页不是安全连接（https），浏览器不给麦克风，请用座席话机";
const FAULT = "耳机没有连上，请重试；也可以用座席话机";

let headset = null, pass = null, state = "off", call = "", muted = false, open = false, asleep = false, renewal = 0;

const stored = (store, key) => { try { return store.getItem(key); } catch { return null; } };
const store = (where, key, value) => {
  try { if (value) where.setItem(key, value); else where.removeItem(key); } catch { /* a locked-down browser: this page only */ }
};
const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

const show = (next, text = "") => {
  state = next;
  const [mark, usual, metered] = !STATES[next][2] ? STATES[next] : asleep ? ASLEEP : open ? STATES[next] : OPENING;
  box.dataset.state = next;
  shape.className = `shape shape-${mark}`;
  set(words, text || usual);
  level.hidden = !metered;
  onButton.hidden = !["off", "fault", "unplugged"].includes(next);
  set(part("on-words"), next === "off" ? "连接耳机" : "重新连接");
  offButton.hidden = !headset || ["talking", "muted", "lostTalking"].includes(next);
  answerButton.hidden = next !== "ringing" || accepted();
  muteButton.hidden = !["talking", "muted"].includes(next);
  muteButton.setAttribute("aria-pressed", String(muted));
  set(part("mute-words"), muted ? "取消静音" : "静音");
  ring();
};
const talking = () => show(muted ? "muted" : "talking");

// ---------- a call ----------
// the operator pressed Enter already when this page, or the one it came from, says so
const accepted = () => Boolean(document.querySelector('#bar [data-state="talking"]'));
const ringing = () => {
  if (accepted()) headset.answer();
  show("ringing");
};
const mute = (on) => {
  muted = on;
  headset?.mute(on);
  store(sessionStorage, MUTED, on ? call : "");
  if (call) talking();
};

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
const drop = () => {
  clearTimeout(renewal);
  headset?.close();
  headset = null;
  call = "";
  open = asleep = false;
};
const fail = (text) => { drop(); show("fault", text); };

const listenTo = (one) => one
  .on("ready", () => { if (!call) show("ready"); })
  .on("ringing", (told) => { call = told.call; ringing(); })
  .on("answered", (told) => {
    call = told.call;
    muted = stored(sessionStorage, MUTED) === call;
    one.mute(muted);
    talking();
  })
  .on("ended", () => { call = ""; muted = false; one.mute(false); store(sessionStorage, MUTED, ""); show("ready"); })
  .on("lost", ({ talking: held }) => show(held ? "lostTalking" : "lost"))
  .on("back", () => { if (call) talking(); })
  .on("refused", ({ reason }) => fail(`耳机没有连上：${reason || "电话系统不接受"}；请重试或用座席话机`))
  .on("replaced", () => { drop(); show("fault", "耳机已在另一个窗口使用；要在这里用请重新连接"); })
  .on("unplugged", () => { drop(); show("unplugged"); })
  .on("asleep", ({ on }) => {
    if (one !== headset) return;  // closing makes no sound either, and is told otherwise
    asleep = on;
    show(state);
  })
  .on("level", (heard) => { level.value = Math.min(1, heard.level * 1.5); });

const connect = async () => {
  if (!window.isSecureContext || !navigator.mediaDevices) { show("fault", INSECURE); return; }
  if (!window.AudioWorkletNode) { show("fault", NO_WORKLET); return; }
  show("connecting");
  try {
    const allowed = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
    if (allowed?.state === "prompt") show("asking");
    const { Headset } = await import(box.dataset[pass.adapter]);
    headset = listenTo(new Headset({ worklet: box.dataset.worklet, library: box.dataset.library }));
    await headset.connect(pass);
    store(localStorage, WANTED, "on");
    open = true;
    show(state === "asking" ? "connecting" : state);
    renewLater();
  } catch (fault) {
    fail(FAULTS[fault.name] || FAULT);
  }
};

onButton.addEventListener("click", async () => {
  try { pass = await readPass(); } catch { fail(FAULT); return; }
  connect();
});
offButton.addEventListener("click", () => { store(localStorage, WANTED, ""); drop(); show("off"); });
answerButton.addEventListener("click", () => headset?.answer());
muteButton.addEventListener("click", () => mute(!muted));
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => headset?.wake());
document.addEventListener("htmx:afterSettle", () => {
  if (state === "ringing" && accepted()) headset.answer();
  ring();
});
window.addEventListener("pagehide", () => headset?.close());  // the next page takes the call up within a breath
window.addEventListener("pageshow", (event) => { if (event.persisted && stored(localStorage, WANTED)) start(); });

const start = async () => {
  try { pass = await readPass(); } catch { fail(FAULT); return; }
  if (pass.adapter === "none") { show("none", pass.reason); return; }
  if (stored(localStorage, WANTED)) connect(); else show("off");
};
start();
