// The line's way to the ear, on the browser's audio thread: 8 kHz mu-law comes in messages that are never quite on
// time, sound at the browser's rate goes out. A little is gathered first; what is older than 400 ms is dropped.
"use strict";

const LINE_RATE = 8000;
const GATHERED = 640; // 80 ms
const LATEST = 3200; // 400 ms
const REACH = 8; // half the length of the filter between the line's samples
const PHASES = 128;

const FILTERS = Array.from({ length: PHASES + 1 }, (_, phase) => Float32Array.from({ length: 2 * REACH }, (_, at) => {
  const away = at - REACH + 1 - phase / PHASES;
  const sinc = away === 0 ? 1 : Math.sin(Math.PI * away) / (Math.PI * away);
  return Math.abs(away) < REACH ? sinc * (0.5 + 0.5 * Math.cos((Math.PI * away) / REACH)) : 0;
}));

const LINEAR = Float32Array.from({ length: 256 }, (_, code) => { // G.711
  const bits = ~code & 0xff;
  const size = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return (bits & 0x80 ? -size : size) / 32768;
});

class Ear extends AudioWorkletProcessor {
  constructor() {
    super();
    this.line = new Float32Array(2 * LATEST);
    this.have = REACH; // silence before the first sample, for the filter to reach back into
    this.at = REACH;
    this.gathering = true;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(codes) {
    if (this.have - this.at + codes.length > LATEST) this.forget(this.have - GATHERED);
    for (const code of codes) {
      this.line[this.have] = LINEAR[code];
      this.have += 1;
    }
  }

  forget(until) { // everything before sample `until`, except what the filter still reaches back to
    const spent = Math.floor(until) - REACH;
    if (spent <= 0) return;
    this.line.copyWithin(0, spent, this.have);
    this.have -= spent;
    this.at = Math.max(this.at - spent, REACH);
  }

  process(_, [[output]]) {
    if (this.gathering && this.have - this.at < GATHERED) return true;
    this.gathering = false;
    for (let at = 0; at < output.length; at += 1) {
      const whole = Math.floor(this.at);
      if (whole + REACH >= this.have) {
        this.gathering = true;
        break;
      }
      const taps = FILTERS[Math.round((this.at - whole) * PHASES)];
      const from = whole - REACH + 1;
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap += 1) sum += taps[tap] * this.line[from + tap];
      output[at] = sum;
      this.at += LINE_RATE / sampleRate;
    }
    this.forget(this.at);
    return true;
  }
}

registerProcessor("ear", Ear);
