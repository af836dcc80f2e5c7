// Microphone and ear of this page. Every fault is told in words a person can act on; none of them ends a call.

const WORDS = {
  NotAllowedError: "没有得到话筒许可：请在地址栏旁允许使用话筒，或用下面的录音说话",
  NotFoundError: "没有找到话筒，可以用下面的录音说话",
  NotReadableError: "话筒正被别的程序占用，可以用下面的录音说话",
};

export class Voice {
  // `on.frame(bytes)`: 20 ms from the microphone; `on.level(0…1)`: how loud; `on.unplugged()`: the microphone is gone.
  constructor(on) {
    this.on = on;
    this.context = null;
    this.ear = null;
    this.stream = null;
    this.muted = false;
  }

  get canSpeak() {
    return this.stream !== null;
  }

  // Let this page sound; needs a click before it. Throws with words.
  async listen() {
    if (typeof AudioContext === "undefined" || typeof AudioWorkletNode === "undefined") {
      throw new Error("这个浏览器不能通话（缺 AudioWorklet），可以用下面的录音说话");
    }
    if (this.context === null) {
      const context = new AudioContext({ latencyHint: "interactive" });
      await Promise.all(["mic-worklet.js", "ear-worklet.js"].map(
        (name) => context.audioWorklet.addModule(new URL(name, import.meta.url).href)));
      this.ear = new AudioWorkletNode(context, "ear", { numberOfInputs: 0, outputChannelCount: [1] });
      this.ear.connect(context.destination);
      this.context = context;
    }
    await this.context.resume();
  }

  // Open the microphone. Throws with words.
  async speak() {
    if (this.stream !== null) return;
    if (!navigator.mediaDevices) throw new Error("浏览器不让这个地址使用话筒，可以用下面的录音说话");
    let stream;
    try {
      // Only the echo is taken out: what else a browser thinks is noise may be a voice to whoever listens.
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false },
      });
    } catch (fault) {
      throw new Error(WORDS[fault.name] || `话筒打不开（${fault.name}），可以用下面的录音说话`);
    }
    if (this.stream !== null) { // asked for twice while a person was thinking
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.stream = stream;
    stream.getAudioTracks()[0].addEventListener("ended", () => {
      this.close();
      this.on.unplugged();
    });
    this.source = this.context.createMediaStreamSource(stream);
    const microphone = new AudioWorkletNode(this.context, "microphone", { outputChannelCount: [1] });
    microphone.port.onmessage = ({ data }) => {
      this.on.level(this.muted ? 0 : data.level);
      if (!this.muted) this.on.frame(data.frame);
    };
    // It gives out silence; connected only so that every browser keeps it running.
    this.source.connect(microphone).connect(this.context.destination);
    this.microphone = microphone;
  }

  play(codes) {
    this.ear?.port.postMessage(codes);
  }

  // Put the microphone down; its light goes out.
  close() {
    if (this.stream === null) return;
    this.stream.getTracks().forEach((track) => track.stop());
    this.source.disconnect();
    this.microphone.disconnect();
    this.microphone.port.onmessage = null;
    this.stream = null;
    this.on.level(0);
  }
}
