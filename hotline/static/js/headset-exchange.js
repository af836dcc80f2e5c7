// The headset's line to an exchange: a websocket with words as JSON and sound as mu-law, 8 kHz, 20 ms a frame.
// One of two adapters behind the same interface (the other: headset-twilio.js):
//   follows       whether a call goes on when the operator opens another window, or loads the page anew
//   connect({token, url}) → when the microphone may be used and the line is being opened; raises the browser's error
//   speak() → when the microphone is open again, after "unplugged"; raises the browser's error
//   on(kind, fn)  kinds: ready ringing answered ended lost back refused replaced unplugged asleep level
//   answer() mute(on) renew(token) wake() close()
const KEEPS_TRYING_MS = [200, 400, 800, 1500, 3000];
const BEHIND = 20 * 160;  // bytes: what the network does not take within 400 ms is dropped
const REPLACED = 4001, REFUSED = 1008;

export class Headset {
  static follows = true;
  #told = {};
  #pass = null;
  #socket = null;
  #tries = 0;
  #again = 0;
  #doubt = 0;
  #over = false;
  #lost = false;
  #answered = false;
  #muted = false;
  #context = null;
  #stream = null;
  #voice = null;
  #node = null;
  #worklet;

  constructor({ worklet }) { this.#worklet = worklet; }

  on(kind, fn) { (this.#told[kind] ||= []).push(fn); return this; }
  #tell(kind, detail = {}) { for (const fn of this.#told[kind] || []) fn(detail); }

  async connect(pass) {
    this.#pass = pass;
    this.#over = false;
    const microphone = this.#microphone();
    microphone.catch(() => { /* raised below, where it is waited for */ });
    const sound = this.#sound();
    this.#open();  // at the same time: a call that was going on is taken up before the microphone is
    try { await sound; } catch (fault) { this.close(); throw fault; }
    try {
      await this.#speak(microphone);
    } catch (fault) {
      if (!this.#answered) { this.close(); throw fault; }
      this.#tell("unplugged", { why: fault.name });  // she hears the caller at least, and the call is not lost
    }
  }

  speak() { return this.#speak(this.#microphone()); }

  renew(token) { this.#pass = { ...this.#pass, token }; }

  // ---------- microphone and loudspeaker ----------
  async #sound() {
    const context = this.#context = new AudioContext({ sampleRate: 8000, latencyHint: "interactive" });
    const asleep = () => this.#tell("asleep", { on: context.state === "suspended" });
    context.onstatechange = asleep;
    await context.audioWorklet.addModule(this.#worklet);
    if (context !== this.#context) return;  // closed meanwhile
    const node = this.#node = new AudioWorkletNode(context, "line", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    node.port.onmessage = ({ data }) => { if (data.frame) this.#send(data.frame); else this.#tell("level", data); };
    node.connect(context.destination);  // hearing needs no microphone
    asleep();
  }

  #microphone() {
    return navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  }

  async #speak(microphone) {
    const context = this.#context, stream = await microphone;
    if (!context || context !== this.#context) { stream.getTracks().forEach((track) => track.stop()); return; }
    this.#quiet();
    this.#stream = stream;
    stream.getAudioTracks().forEach((track) => {
      track.enabled = !this.#muted;
      track.onended = () => this.#tell("unplugged", {});
    });
    this.#voice = context.createMediaStreamSource(stream);
    this.#voice.connect(this.#node);
    context.resume();  // the page may have been touched before there was anything to wake
    this.#tell("asleep", { on: context.state === "suspended" });
  }

  #quiet() {
    this.#voice?.disconnect();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#voice = null;
  }

  wake() { this.#context?.resume(); }

  #send(frame) {
    const socket = this.#socket;
    if (!this.#answered || this.#muted || socket?.readyState !== WebSocket.OPEN || socket.bufferedAmount > BEHIND) return;
    socket.send(frame);
  }

  // ---------- the line ----------
  #open() {
    clearTimeout(this.#again);
    const socket = this.#socket = new WebSocket(this.#pass.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify({ event: "register", token: this.#pass.token }));
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.#take(JSON.parse(data));
      else if (this.#answered) this.#node?.port.postMessage({ sound: data }, [data]);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket || this.#over) return;
      this.#socket = null;
      this.#sure();  // whether the call goes on is told when the line is back for good
      if (code === REPLACED) { this.close(); this.#tell("replaced"); return; }
      if (code === REFUSED) { this.close(); this.#tell("refused", { reason }); return; }
      if (!this.#lost) { this.#lost = true; this.#tell("lost", { talking: this.#answered }); }
      const wait = KEEPS_TRYING_MS[Math.min(this.#tries++, KEEPS_TRYING_MS.length - 1)];
      this.#again = setTimeout(() => this.#open(), wait);
    };
  }

  #take(said) {
    if (said.event === "registered") {
      this.#tries = 0;
      if (this.#lost) this.#tell("back");
      this.#lost = false;
      // a call that goes on is told right after this; without that word it ended while the line was away
      if (this.#answered) this.#doubt = setTimeout(() => this.#gone(), 1500);
      if (this.#muted) this.#say({ event: "mute", on: true });
      this.#tell("ready");
    } else if (said.event === "answered") {
      this.#sure();
      this.#answered = true;
      this.#tell("answered", { call: said.call });
    } else if (said.event === "ended") {
      this.#sure();
      this.#silence();
      this.#tell("ended", { call: said.call, reason: said.reason });
    } else if (said.event === "refused") {
      this.#tell("refused", { reason: said.reason });
      this.close();
    } else if (said.event === "replaced") {
      this.close();
      this.#tell("replaced");
    } else if (said.event === "ringing") {
      if (this.#doubt) this.#gone();  // or the call that rings would be taken for the one that ended, and not answered
      this.#tell("ringing", { call: said.call, from: said.from });
    }
  }
  #sure() { clearTimeout(this.#doubt); this.#doubt = 0; }
  #gone() {
    this.#sure();
    this.#silence();
    this.#tell("ended", { reason: "" });
  }

  #say(message) { if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message)); }
  #silence() { this.#answered = false; this.#node?.port.postMessage({ quiet: true }); }

  answer() { this.#say({ event: "answer" }); }
  mute(on) {
    this.#muted = on;
    this.#stream?.getAudioTracks().forEach((track) => { track.enabled = !on; });
    this.#say({ event: "mute", on });
  }

  close() {
    this.#over = true;
    clearTimeout(this.#again);
    this.#sure();
    this.#silence();
    this.#socket?.close();
    this.#socket = null;
    this.#quiet();
    this.#context?.close();
    this.#context = this.#node = null;
  }
}
