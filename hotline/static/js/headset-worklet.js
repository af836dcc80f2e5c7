// The headset's ear and mouth, off the page's own thread: the microphone as mu-law frames of 20 ms, the line's sound
// through a small buffer. The audio context runs at 8 kHz, so that the browser does the resampling.
// In: {sound: ArrayBuffer of mu-law} {quiet: true}. Out: {frame: ArrayBuffer of 160 bytes} {level: 0…1, heard: 0…1}.
"use strict";

const FRAME = 160;            // 20 ms at 8 kHz
const BEGIN = 3 * FRAME;      // so much is waited for before sound is played: a network is never quite even
const AT_MOST = 20 * FRAME;   // 400 ms; what is later than that is dropped, or the two would talk past each other
const LEVEL_EVERY = 10;       // frames

const toMulaw = (sample) => {
  let value = Math.max(-32635, Math.min(32635, Math.round(sample * 32767)));
  const sign = value < 0 ? 0x80 : 0;
  value = Math.abs(value) + 132;
  const exponent = Math.max(0, 31 - Math.clz32(value) - 7);
  return ~(sign | exponent << 4 | value >> exponent + 3 & 0x0f) & 0xff;
};
const FROM_MULAW = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const value = ((bits & 0x0f) << 3) + 132 << (bits >> 4 & 7);
  return (bits & 0x80 ? 132 - value : value - 132) / 32768;
});

class Line extends AudioWorkletProcessor {
  constructor() {
    super();
    this.spoken = new Uint8Array(FRAME);
    this.filled = 0;
    this.loud = this.heard = 0;
    this.frames = 0;
    this.waiting = [];       // Uint8Arrays not yet played
    this.length = 0;         // bytes in them
    this.at = 0;             // played of the first one
    this.playing = false;
    this.port.onmessage = ({ data }) => {
      if (data.quiet) this.clear();
      if (data.sound) this.take(new Uint8Array(data.sound));
    };
  }

  clear() {
    this.waiting = [];
    this.length = this.at = 0;
    this.playing = false;
  }

  take(sound) {
    this.waiting.push(sound);
    this.length += sound.length;
    while (this.length > AT_MOST) {  // the oldest goes
      this.length -= this.waiting.shift().length - this.at;
      this.at = 0;
    }
  }

  next() {
    if (!this.playing && this.length < BEGIN) return 0;
    this.playing = this.length > 0;
    if (!this.playing) return 0;
    const sample = FROM_MULAW[this.waiting[0][this.at++]];
    this.length -= 1;
    if (this.at === this.waiting[0].length) { this.waiting.shift(); this.at = 0; }
    return sample;
  }

  process([input], [output]) {
    const speaker = output[0], microphone = input[0];
    for (let i = 0; i < speaker.length; i++) {
      speaker[i] = this.next();
      this.heard = Math.max(this.heard, Math.abs(speaker[i]));
      const sample = microphone ? microphone[i] : 0;
      this.loud = Math.max(this.loud, Math.abs(sample));
      this.spoken[this.filled++] = toMulaw(sample);
      if (this.filled === FRAME) this.send();
    }
    for (let channel = 1; channel < output.length; channel++) output[channel].set(speaker);
    return true;
  }

  send() {
    const frame = this.spoken.buffer;
    this.spoken = new Uint8Array(FRAME);
    this.filled = 0;
    this.port.postMessage({ frame }, [frame]);
    this.frames += 1;
    if (this.frames % LEVEL_EVERY) return;
    this.port.postMessage({ level: this.loud, heard: this.heard });
    this.loud = this.heard = 0;
  }
}
registerProcessor("line", Line);
