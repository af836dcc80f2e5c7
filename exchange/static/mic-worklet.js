// The microphone's way to the line, on the browser's audio thread: whatever rate the browser has comes out as 8 kHz
// mu-law, 160 bytes (20 ms) a message. What lies above half the line's rate is filtered out first, or it would come
// back as noise in the voice.
"use strict";

const LINE_RATE = 8000;
const FRAME = 160;
const CUTOFF_HERTZ = 3500;
const REACH = 14; // half the filter's length, in samples of the line: from 4 kHz on what is left is 1/100 and less
const PHASES = 128; // positions between two input samples the filter is prepared for
const BLOCK = 128;

function filters(rate) {
  const half = Math.ceil((REACH * rate) / LINE_RATE);
  return Array.from({ length: PHASES + 1 }, (_, phase) => {
    const taps = Float32Array.from({ length: 2 * half }, (_, at) => {
      const away = at - half + 1 - phase / PHASES;
      const turns = (2 * CUTOFF_HERTZ * away) / rate;
      const sinc = turns === 0 ? 1 : Math.sin(Math.PI * turns) / (Math.PI * turns);
      return Math.abs(away) < half ? sinc * (0.5 + 0.5 * Math.cos((Math.PI * away) / half)) : 0;
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return taps.map((tap) => tap / sum);
  });
}

function mulaw(sample) { // G.711, of a sample between -1 and 1
  const sign = sample < 0 ? 0x80 : 0;
  const size = Math.min(Math.round(Math.abs(sample) * 32767), 32635) + 132;
  const exponent = Math.max(0, 24 - Math.clz32(size));
  return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 0x0f)) & 0xff;
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.filters = filters(sampleRate);
    this.half = this.filters[0].length / 2;
    this.step = sampleRate / LINE_RATE;
    this.past = new Float32Array(2 * this.half + 2 * BLOCK);
    this.at = this.past.length - BLOCK; // where in `past` the middle of the next sample of the line lies
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.power = 0;
  }

  process([[input]]) {
    if (!input) return true; // nothing is plugged in at the moment
    this.past.copyWithin(0, input.length);
    this.past.set(input, this.past.length - input.length);
    this.at -= input.length;
    while (Math.floor(this.at) + this.half < this.past.length) {
      this.put(this.sample());
      this.at += this.step;
    }
    return true;
  }

  sample() {
    const whole = Math.floor(this.at);
    const taps = this.filters[Math.round((this.at - whole) * PHASES)];
    const from = whole - this.half + 1;
    let sum = 0;
    for (let tap = 0; tap < taps.length; tap += 1) sum += taps[tap] * this.past[from + tap];
    return sum;
  }

  put(sample) {
    this.frame[this.filled] = mulaw(sample);
    this.power += sample * sample;
    this.filled += 1;
    if (this.filled < FRAME) return;
    this.port.postMessage({ frame: this.frame, level: Math.sqrt(this.power / FRAME) });
    this.filled = 0;
    this.power = 0;
  }
}

registerProcessor("microphone", Microphone);
