// One telephone's line to the exchange: words as JSON, sound as mu-law. A lost socket is taken up again.

const REPLACED = 4001;
const REFUSED = 1008;
const AGAIN_MS = 1000;
const UNSENT_BYTES = 3200; // 400 ms; what would wait longer is dropped

export class Line {
  // `registration` is {call} or {number}; `on(event, facts)` hears the exchange's events and sound, lost, gone.
  // `patience`: for how long a lost socket is tried again, in milliseconds.
  constructor(registration, on, patience) {
    this.registration = registration;
    this.on = on;
    this.patience = patience;
    this.lostAt = null;
    this.over = false;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/line`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.say("register", this.registration));
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") {
        this.on("sound", new Uint8Array(data));
        return;
      }
      const { event, ...facts } = JSON.parse(data);
      if (event === "registered") this.lostAt = null;
      if (event === "refused" || event === "replaced") this.over = true;
      this.on(event, facts);
    });
    socket.addEventListener("close", ({ code }) => this.#closed(code));
    this.socket = socket;
  }

  #closed(code) {
    if (this.over || code === REPLACED || code === REFUSED) return;
    if (this.lostAt === null) {
      this.lostAt = Date.now();
      this.on("lost", {});
    }
    if (Date.now() - this.lostAt > this.patience) {
      this.over = true;
      this.on("gone", {});
      return;
    }
    setTimeout(() => { if (!this.over) this.#open(); }, AGAIN_MS);
  }

  say(event, facts = {}) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ event, ...facts }));
  }

  sound(codes) {
    if (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < UNSENT_BYTES) this.socket.send(codes);
  }

  close() {
    this.over = true;
    this.socket.close(1000);
  }
}
