// The telephone page: asks the exchange what happened on the line and shows it. No framework, nothing from elsewhere.

import { Line } from "./line.js";
import { Voice } from "./voice.js";

const $ = (id) => document.getElementById(id);
const FAST_MS = 400;
const SLOW_MS = 2000;
const CALL_PATIENCE_MS = 10000; // as long as the exchange keeps a call whose telephone is lost
const NUMBER = /^\+[1-9]\d{6,14}$/;
const KEPT = "call"; // in this tab's memory: the call to take up again when the page is loaded anew
const STATES = {
  queued: "正在接续", ringing: "对方振铃", "in-progress": "通话中", completed: "通话结束", busy: "对方忙",
  "no-answer": "无人接听", failed: "未能接通", canceled: "已取消",
};

let call = null; // the call on this handset, as the exchange last told it
let ringing = null; // a call that rings here and nobody has taken yet
let next = 0; // number of the first timeline entry not yet shown
let lastHeard = Date.now();
let callLine = null; // the line of the call this page dialled or took up
let numberLine = null; // the line on which calls to my number ring
let speaking = null; // whichever of the two is in a call
let wanted = false; // whether this page is to sound: from the click that dials or answers until the end of the call
let rings = null; // the call that rings on the number's line
let held = false;
let dialledAnew = true; // the next key begins a new number

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = await answer.json();
  lastHeard = Date.now();
  if (!answer.ok) throw new Error(told.error || `HTTP ${answer.status}`);
  return told;
}

async function attempt(act) {
  $("fault").textContent = "";
  try {
    await act();
  } catch (fault) {
    $("fault").textContent = `没有成功：${fault.message}`;
  }
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function dated(when) {
  const time = when.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  return `${when.getFullYear()}年${when.getMonth() + 1}月${when.getDate()}日 ${time}`;
}

function bubble(who, text, side) {
  const line = element("li", "", side);
  if (who) line.append(element("span", who, "who"));
  line.append(document.createTextNode(text));
  $("captions").append(line);
  $("captions").scrollTop = $("captions").scrollHeight;
}

function show(entry) {
  $("silence").hidden = true;
  if (entry.kind === "caption") bubble("热线", entry.text, "");
  else if (entry.kind === "said") bubble("我", entry.text, "ours");
  else if (entry.kind === "peer") bubble("对方", entry.text, "");
  else if (entry.kind === "digits") bubble("我按了", entry.text, "ours");
  else if (entry.kind === "dial" && entry.text === "bridged") bubble("", "已接通", "note");
  else if (entry.kind === "conference" && entry.text === "participant-join") bubble("", "进入通话", "note");
  else if (entry.kind === "error") bubble("", `出错：${entry.text}`, "note");
  $("timeline").append(element("li", `${entry.t.toFixed(1)} ${entry.kind} ${entry.text}`));
}

function take(told) {
  if (call === null || call.sid !== told.sid) {
    $("captions").replaceChildren();
    $("timeline").replaceChildren();
    $("replay").hidden = true;
    next = 0;
  }
  call = told;
}

const voice = new Voice({
  frame: (codes) => speaking?.sound(codes),
  level: (level) => { $("level").value = Math.min(1, level * 3); },
  unplugged: () => tellOfVoice("话筒断开了，可以用下面的录音说话"),
});

function tellOfVoice(words) {
  $("voice").textContent = words;
}

async function openVoice(withMicrophone) {
  wanted = true;
  try {
    await voice.listen();
    if (withMicrophone) await voice.speak();
    if (!wanted) voice.close(); // the call was over before the microphone was there
    else tellOfVoice(voice.canSpeak ? "话筒已打开" : "只听不说，可以用下面的录音说话");
  } catch (fault) {
    if (wanted) tellOfVoice(fault.message);
  }
  render();
}

function setMuted(on) {
  voice.muted = on;
  $("mute").setAttribute("aria-pressed", String(on));
  $("mute").textContent = on ? "取消静音" : "静音";
  speaking?.say("mute", { on });
}

function putDown(words) {
  speaking = null;
  wanted = false;
  held = false;
  callLine?.close();
  callLine = null;
  sessionStorage.removeItem(KEPT);
  setMuted(false);
  voice.close();
  tellOfVoice(words);
}

// What the exchange tells on either line; `line` is the one it came on.
const HEARD = {
  sound: (line, codes) => voice.play(codes),
  ringing: (line, { call: sid }) => {
    rings = sid;
    lookAround().then(render, console.warn);
  },
  answered: (line) => {
    speaking = line;
    if (voice.muted) line.say("mute", { on: true });
    if (voice.canSpeak) tellOfVoice("话筒已打开");
  },
  held: (line, { on }) => { held = on; },
  ended: (line) => { if (line === speaking || line === callLine) putDown("通话结束，话筒已关"); },
  lost: (line) => { if (line === speaking || line === callLine) tellOfVoice("声音断开了，正在重新接上…"); },
  gone: (line) => { if (line === speaking || line === callLine) putDown("声音没能接上，通话已结束"); },
  refused: (line, { reason }) => { if (line === speaking || line === callLine) putDown(reason); },
  replaced: (line) => {
    if (line === numberLine) $("elsewhere").hidden = false;
    if (line === speaking || line === callLine) putDown("通话已转到另一个页面");
  },
};

function hearing(line) {
  return (event, facts) => {
    HEARD[event]?.(line(), facts);
    if (event !== "sound") render();
  };
}

function connectCall() {
  callLine?.close();
  callLine = new Line({ call: call.sid }, hearing(() => callLine), CALL_PATIENCE_MS);
  sessionStorage.setItem(KEPT, call.sid);
}

function connectNumber() {
  const mine = $("from").value.trim();
  if (numberLine !== null && !numberLine.over && numberLine.registration.number === mine) return;
  numberLine?.close();
  numberLine = null;
  $("elsewhere").hidden = true;
  if (NUMBER.test(mine)) numberLine = new Line({ number: mine }, hearing(() => numberLine), Infinity);
}

function render() {
  const live = call !== null && !call.over;
  const open = live && call.status === "in-progress";
  let state = "未通话";
  if (call !== null) state = call.talking ? "与对方通话中" : STATES[call.status];
  if (open && call.gathering) state = "通话中，可以按键";
  if (open && held) state = "通话保持中";
  if (ringing !== null && !live) state = "有来电";
  $("state").textContent = state;
  const seconds = call === null ? 0 : call.duration_s;
  $("clock").textContent = [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
  for (const key of document.querySelectorAll("[data-key]")) key.disabled = live && !open;
  $("erase").disabled = live || !$("to").value;
  $("to").disabled = live;
  $("mic").disabled = !live || voice.canSpeak;
  $("mute").disabled = !voice.canSpeak;
  if ($("say")) $("say").disabled = !open;
  $("dial").disabled = live || !$("to").value;
  $("hang-up").disabled = !live;
  $("from").disabled = live;
  $("ringing").hidden = ringing === null || live;
  if (ringing !== null) $("ringing-from").textContent = ringing.from;
  if (call !== null && call.over && $("replay").hidden && call.duration_s > 0) {
    $("heard").src = `/lab/calls/${call.sid}/heard.wav`;
    $("replay").hidden = false;
  }
  const quiet = Math.round((Date.now() - lastHeard) / 1000);
  $("line").textContent = quiet > 4 ? `与交换机断开，${quiet} 秒前还正常` : "线路正常";
}

async function followCall() {
  if (call === null || (call.over && next >= call.next)) return;
  const told = await ask(`/lab/calls/${call.sid}?since=${next}`);
  told.timeline.forEach(show);
  next = told.next;
  call = told;
}

async function lookAround() {
  const mine = $("from").value.trim();
  if (!mine) return;
  const found = await ask(`/lab/calls?live=1&handset=${encodeURIComponent(mine)}`);
  ringing = found.calls.find((one) => one.direction !== "inbound" && one.status === "ringing") || null;
  const inbox = await ask(`/lab/handsets/${encodeURIComponent(mine)}/messages`);
  const count = String(inbox.messages.length);
  if ($("inbox-count").textContent === count && $("messages").dataset.of === mine) return;
  $("inbox-count").textContent = count;
  $("messages").dataset.of = mine;
  $("no-messages").hidden = inbox.messages.length > 0;
  $("messages").replaceChildren(...inbox.messages.slice().reverse().map((message) => {
    const line = element("li", "");
    line.append(element("time", `${message.from} · ${dated(new Date(message.at))}`));
    line.append(document.createTextNode(message.body));
    return line;
  }));
}

function every(milliseconds, act) {
  const turn = async () => {
    try {
      await act();
    } catch (fault) {
      // What a person sees of it is the line that says how long the exchange has been silent.
      console.warn(fault);
    }
    render();
    setTimeout(turn, milliseconds);
  };
  turn();
}

const chosen = () => document.querySelector("input[name=recording]:checked")?.value;

// Sound is asked for within the click, or the browser would keep the page silent; the call does not wait for it.
async function withVoice(connect) {
  const sounding = openVoice($("use-mic").checked);
  try {
    await connect();
  } catch (fault) {
    putDown("话筒没有打开");
    throw fault;
  }
  await sounding;
}

$("dial").addEventListener("click", () => attempt(() => withVoice(async () => {
  const script = $("by-itself")?.checked && chosen()
    ? [{ wait_for: "talking", timeout_s: 600 }, { wait_s: 1 }, { say_wav: chosen() }] : [];
  take(await ask("/lab/calls", "POST", { from: $("from").value.trim(), to: $("to").value.trim(), script }));
  dialledAnew = true;
  connectCall();
})));
$("hang-up").addEventListener("click", () => attempt(() => ask(`/lab/calls/${call.sid}/hang-up`, "POST", {})));
$("answer").addEventListener("click", () => attempt(() => withVoice(async () => {
  const taken = ringing;
  ringing = null;
  take(await ask(`/lab/calls/${taken.sid}/answer`, "POST", {}));
  if (taken.sid !== rings || numberLine === null || numberLine.over) connectCall();
})));
$("decline").addEventListener("click", () => attempt(() => ask(`/lab/calls/${ringing.sid}/hang-up`, "POST", {})));
$("say")?.addEventListener("click", () => attempt(() => ask(`/lab/calls/${call.sid}/say`, "POST", { wav: chosen() })));
for (const key of document.querySelectorAll("[data-key]")) {
  key.addEventListener("click", () => attempt(async () => {
    if (call !== null && !call.over) {
      await ask(`/lab/calls/${call.sid}/press`, "POST", { digits: key.dataset.key });
      return;
    }
    $("to").value = (dialledAnew ? "" : $("to").value) + key.dataset.key;
    dialledAnew = false;
    render();
  }));
}
$("erase").addEventListener("click", () => {
  $("to").value = $("to").value.slice(0, -1);
  dialledAnew = false;
  render();
});
$("to").addEventListener("input", render);
$("from").addEventListener("change", connectNumber);
$("here").addEventListener("click", connectNumber);
$("mic").addEventListener("click", () => openVoice(true));
$("mute").addEventListener("click", () => setMuted(!voice.muted));
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)?.click();
});
$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await ask("/lab/messages", "POST", { from: $("from").value.trim(), to: $("to").value, body: $("body").value });
    $("body").value = "";
  });
});

// A page that was loaded anew in the middle of a call takes it up; to sound, a browser wants a click first.
async function takeUp() {
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) return;
  const told = await ask(`/lab/calls/${kept}`);
  if (told.over) {
    sessionStorage.removeItem(KEPT);
    return;
  }
  take({ ...told, next: 0 });
  connectCall();
  tellOfVoice("通话还在，点“打开话筒”继续说话");
}

attempt(takeUp);
connectNumber();
every(FAST_MS, followCall);
every(SLOW_MS, lookAround);
