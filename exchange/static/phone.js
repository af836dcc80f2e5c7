// The telephone page: asks the exchange what happened on the line and shows it. No framework, nothing from elsewhere.
"use strict";

const $ = (id) => document.getElementById(id);
const FAST_MS = 400;
const SLOW_MS = 2000;
const STATES = {
  queued: "正在接续", ringing: "对方振铃", "in-progress": "通话中", completed: "通话结束", busy: "对方忙",
  "no-answer": "无人接听", failed: "未能接通", canceled: "已取消",
};

let call = null; // the call on this handset, as the exchange last told it
let ringing = null; // a call that rings here and nobody has taken yet
let next = 0; // number of the first timeline entry not yet shown
let lastHeard = Date.now();

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

function render() {
  const live = call !== null && !call.over;
  const open = live && call.status === "in-progress";
  let state = "未通话";
  if (call !== null) state = call.talking ? "与对方通话中" : STATES[call.status];
  if (open && call.gathering) state = "请按键";
  $("state").textContent = state;
  const seconds = call === null ? 0 : call.duration_s;
  $("clock").textContent = [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
  for (const key of document.querySelectorAll("[data-key]")) key.disabled = !open;
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

$("dial").addEventListener("click", () => attempt(async () => {
  const script = $("by-itself")?.checked && chosen()
    ? [{ wait_for: "talking", timeout_s: 600 }, { wait_s: 1 }, { say_wav: chosen() }] : [];
  take(await ask("/lab/calls", "POST", { from: $("from").value.trim(), to: $("to").value, script }));
}));
$("hang-up").addEventListener("click", () => attempt(() => ask(`/lab/calls/${call.sid}/hang-up`, "POST", {})));
$("answer").addEventListener("click", () => attempt(async () => {
  const taken = ringing;
  ringing = null;
  take(await ask(`/lab/calls/${taken.sid}/answer`, "POST", {}));
}));
$("decline").addEventListener("click", () => attempt(() => ask(`/lab/calls/${ringing.sid}/hang-up`, "POST", {})));
$("say")?.addEventListener("click", () => attempt(() => ask(`/lab/calls/${call.sid}/say`, "POST", { wav: chosen() })));
for (const key of document.querySelectorAll("[data-key]")) {
  key.addEventListener("click", () => attempt(
    () => ask(`/lab/calls/${call.sid}/press`, "POST", { digits: key.dataset.key })));
}
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

every(FAST_MS, followCall);
every(SLOW_MS, lookAround);
