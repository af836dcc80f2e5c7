// The headset's line to the real service, over Twilio's own Voice SDK. As thin as can be, and NOT VERIFIED AGAINST THE
// REAL SERVICE. The interface is described in headset-exchange.js. Loaded, with the library, only where this is chosen.
const load = (src) => new Promise((done, failed) => {
  if (window.Twilio?.Device) { done(); return; }
  const script = document.createElement("script");
  script.src = src;
  script.onload = done;
  script.onerror = () => failed(new Error("library"));
  document.head.append(script);
});

export class Headset {
  static follows = false;  // a call lives and ends with the window it was answered in
  #told = {};
  #device = null;
  #call = null;
  #library;

  constructor({ library }) { this.#library = library; }

  on(kind, fn) { (this.#told[kind] ||= []).push(fn); return this; }
  #tell(kind, detail = {}) { for (const fn of this.#told[kind] || []) fn(detail); }

  async connect({ token }) {
    const [stream] = await Promise.all([navigator.mediaDevices.getUserMedia({ audio: true }), load(this.#library)]);
    stream.getTracks().forEach((track) => track.stop());  // the permission was asked for; the library opens its own
    const device = this.#device = new window.Twilio.Device(token, { codecPreferences: ["opus", "pcmu"], logLevel: "error" });
    device.on("registered", () => this.#tell("ready"));
    device.on("unregistered", () => { if (this.#device) this.#tell("lost", { talking: Boolean(this.#call) }); });
    device.on("error", (fault) => this.#tell("refused", { reason: `${fault.code}` }));
    device.on("incoming", (call) => this.#ring(call));
    device.audio?.incoming(false);  // the desk rings by itself; the library's sounds come from a third host
    device.audio?.outgoing(false);
    device.audio?.disconnect(false);
    await device.register();
  }

  #ring(call) {
    this.#call = call;
    const sid = call.parameters.CallSid;
    const over = (reason) => () => {
      if (this.#call !== call) return;
      this.#call = null;
      this.#tell("ended", { call: sid, reason });
    };
    call.on("accept", () => {
      call.getLocalStream()?.getAudioTracks().forEach((track) => { track.onended = () => this.#tell("unplugged", {}); });
      this.#tell("answered", { call: sid });
    });
    call.on("disconnect", over(""));
    call.on("cancel", over(""));
    call.on("reject", over(""));
    call.on("error", (fault) => this.#tell("lost", { talking: true, reason: `${fault.code}` }));
    call.on("reconnecting", () => this.#tell("lost", { talking: true }));
    call.on("reconnected", () => this.#tell("back"));
    call.on("volume", (level, heard) => this.#tell("level", { level, heard }));
    this.#tell("ringing", { call: sid, from: call.parameters.From });
  }

  // what is plugged in now, the system's own choice first
  async speak() {
    const found = this.#device.audio.availableInputDevices;
    await this.#device.audio.setInputDevice(found.has("default") ? "default" : found.keys().next().value);
  }

  renew(token) { this.#device?.updateToken(token); }
  answer() { this.#call?.accept(); }
  mute(on) { this.#call?.mute(on); }
  wake() { /* the library wakes its own sound */ }

  close() {
    const device = this.#device, call = this.#call;
    this.#device = this.#call = null;
    call?.disconnect();
    device?.destroy();
  }
}
