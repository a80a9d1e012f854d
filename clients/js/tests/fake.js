// A WebSocket without a network, a clock without time, and the other side of a session.
import {Decoder, Encoder} from '../framing.js';
import {connect} from '../parley.js';

// Lets everything happen that needs no time.
export async function settle() {
  for (let i = 0; i < 5; ++i) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock {
  #now = 1_000;
  #timers = new Map();
  #last = 0;

  now = () => this.#now;
  setTimeout = (ring, ms) => {
    this.#timers.set(++this.#last, {ring, at: this.#now + ms});
    return this.#last;
  };
  clearTimeout = (timer) => this.#timers.delete(timer);

  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(id);
      next.ring();
    }
    this.#now = end;
    await settle();
  }
}

// A network in which every WebSocket is answered by an Other, in the order they are dialled.
export class FakeNetwork {
  clock = new FakeClock();
  sockets = [];
  isDown = false;     // dials fail
  isSilent = false;   // they succeed, and nobody says hello
  takes = {};         // of the other side
  complaint;          // what ws says of a dial that fails; pages are told nothing

  get WebSocket() {
    const network = this;
    return class {
      bufferedAmount = 0;
      readyState = 0;
      isStuck = false;  // takes no bytes from the program's side any more
      #held = [];

      constructor(url) {
        this.url = url;
        network.sockets.push(this);
        this.other = new Other(this, network.takes);
        queueMicrotask(() => {
          if (network.isDown) {
            this.onerror?.({message: network.complaint});
            return this.drop(1006);
          }
          this.readyState = 1;
          this.onopen?.();
          if (!network.isSilent) this.other.hello();
        });
      }
      send(bytes) {
        if (this.readyState !== 1) return;
        this.bufferedAmount += bytes.length;
        this.#held.push(bytes);
        if (!this.isStuck) this.take();
      }
      // The network takes what it was given.
      take() {
        for (const bytes of this.#held.splice(0)) {
          this.bufferedAmount -= bytes.length;
          this.other.feed(bytes);
        }
      }
      close() {
        if (this.readyState >= 2) return;
        this.readyState = 2;
        queueMicrotask(() => this.drop(1000));
      }
      drop(code = 1006) {
        this.readyState = 3;
        this.onclose?.({code, reason: ''});
      }
      bring(bytes) {
        this.onmessage?.({data: typeof bytes === 'string' ? bytes : bytes.slice().buffer});
      }
    };
  }
  get last() {
    return this.sockets.at(-1);
  }
  get other() {
    return this.last.other;
  }

  connect(options = {}) {
    return connect('ws://nowhere', {
      WebSocket: this.WebSocket, clock: this.clock, pingIntervalMs: 0, random: () => 0,
      ...options});
  }
}

export class Other {
  #socket;
  #encoder;
  #decoder = new Decoder({maxFrame: 1 << 20, maxMessage: 16 << 20, maxNames: 1_024});
  got = [];        // messages, but for the hello
  parts = 0;       // WebSocket messages that came

  constructor(socket, takes) {
    this.#socket = socket;
    this.#encoder = new Encoder(takes);
  }
  hello() {
    this.#socket.bring(this.#encoder.hello());
  }
  greetAndLeave(goodbye) {
    const [hello, message] = [this.#encoder.hello(),
      this.#encoder.encode({codec: 'j'.charCodeAt(0), kind: 'GO_AWAY', ...goodbye})];
    const both = new Uint8Array(hello.length + message.length);
    both.set(hello);
    both.set(message, hello.length);
    this.#socket.bring(both);
  }
  feed(bytes) {
    ++this.parts;
    this.#decoder.feed(bytes);
    for (let m = this.#decoder.next(); m !== null; m = this.#decoder.next()) {
      if (m.kind === 'HELLO') this.#encoder.allow(m.settings);
      else this.got.push(m);
    }
  }
  get unfinished() {
    return this.#decoder.unfinished;
  }
  say(message) {
    this.#socket.bring(this.#encoder.encode({codec: 'j'.charCodeAt(0), ...message}));
  }
  of(kind) {
    return this.got.filter((each) => each.kind === kind);
  }
}
