// Encoder: messages of the parley framing to bytes (framing.js says what a message is). It belongs
// to one connection and remembers the names of methods: what it made must be sent in that order.
import {ParleyError} from './error.js';
import {
  kinds, leastSettings, longestDeadline, longestMethod, magic, mostMetadata, noBytes,
  numberedSettings, shapeOf,
} from './layout.js';

const version = 1;
const mostStatusText = 16_384;
const utf8 = new TextEncoder();

class Bytes {
  #bytes = new Uint8Array(128);
  size = 0;

  #room(more) {
    if (this.size + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.size + more, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.size));
    this.#bytes = larger;
  }
  byte(value) {
    this.#room(1);
    this.#bytes[this.size++] = value;
  }
  bytes(value) {
    this.#room(value.length);
    this.#bytes.set(value, this.size);
    this.size += value.length;
  }
  varint(value) {
    if (typeof value === 'bigint' || value > 0x7fffffff) {
      let left = BigInt(value);
      for (; left >= 0x80n; left >>= 7n) this.byte(Number(left & 0x7fn) | 0x80);
      return this.byte(Number(left));
    }
    for (; value >= 0x80; value >>>= 7) this.byte((value & 0x7f) | 0x80);
    this.byte(value);
  }
  signed(value) {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }
  text(value) {
    const bytes = typeof value === 'string' ? utf8.encode(value) : value;
    this.varint(bytes.length);
    this.bytes(bytes);
  }
  take() {
    return this.#bytes.subarray(0, this.size);
  }
}

// The text, or its beginning and a "…", cut between two characters.
function shortened(bytes, room) {
  if (bytes.length <= room) return bytes;
  const ellipsis = utf8.encode('…');
  if (room < ellipsis.length) return noBytes;
  let end = room - ellipsis.length;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) --end;
  const cut = new Uint8Array(end + ellipsis.length);
  cut.set(bytes.subarray(0, end));
  cut.set(ellipsis, end);
  return cut;
}

function writeStatus(out, status) {
  let message = utf8.encode(status?.message ?? '');
  let cause = utf8.encode(status?.cause ?? '');
  if (message.length + cause.length > mostStatusText) {
    const all = message.length;
    const room = mostStatusText - Math.min(cause.length, mostStatusText / 4);
    message = shortened(message, room);
    cause = shortened(cause, mostStatusText - Math.min(all, room));
  }
  out.varint(status?.code ?? 0);
  out.signed(status?.businessCode ?? 0);
  out.text(message);
  out.text(cause);
}

const isWrong = (message, what) =>
  new ParleyError('invalid_argument', `parley ${message.kind}: ${what}`);
const isTooMuch = (message, what) =>
  new ParleyError('resource_exhausted', `parley ${message.kind}: ${what}`);

export class Encoder {
  #takes;
  #other = leastSettings;
  #names = new Map();

  // `takes`: what this side takes; nothing may be below leastSettings.
  constructor(takes = {}) {
    this.#takes = {...leastSettings, ...takes};
    for (const name of numberedSettings) {
      if (this.#takes[name] >= leastSettings[name]) continue;
      throw new ParleyError('invalid_argument', `${name}: ${this.#takes[name]} is below the least` +
        ` that the parley framing allows (${leastSettings[name]})`);
    }
  }

  // What the other side takes, as far as it is known.
  get other() {
    return this.#other;
  }
  get maxBody() {
    return Math.min(this.#other.maxMessage, this.#takes.maxMessage);
  }

  hello() {
    const settings = new Bytes();
    numberedSettings.forEach((name, i) => {
      if (this.#takes[name] === leastSettings[name]) return;
      settings.varint(i + 1);
      settings.varint(this.#takes[name]);
    });
    const out = new Bytes();
    out.bytes(magic);
    out.byte(version);
    out.text(settings.take());
    return out.take();
  }

  // The other side has said what it takes.
  allow(settings) {
    this.#other = settings;
  }

  // Throws what is wrong with it, before anything is remembered.
  check(message) {
    const shape = shapeOf(message);
    if (shape === undefined) throw isWrong(message, 'there is no such message');
    if (shape.id && !(message.id >= (message.kind === 'CREDIT' ? 0 : 1))) {
      throw isWrong(message, `an id of ${message.id}; they begin with 1`);
    }
    if (shape.method && utf8.encode(message.method).length > longestMethod) {
      throw isWrong(message, `a method name beyond ${longestMethod} bytes`);
    }
    if (message.metadata?.length > mostMetadata) {
      throw isTooMuch(message,
        `${message.metadata.length} entries of metadata are more than ${mostMetadata}`);
    }
    const size = message.body?.length ?? 0;
    if (size > this.maxBody) {
      throw isTooMuch(message, `${size} bytes are more than max_message (${this.maxBody})`);
    }
    const head = this.headBytes(message);
    if (head > this.#other.maxFrame) {
      throw isTooMuch(message, `${head} bytes with the metadata are more than the other side's ` +
        `max_frame (${this.#other.maxFrame}): move large values to the body`);
    }
  }

  // What a frame may take besides its body.
  headBytes(message) {
    let bytes = 64 + 3 * (message.method?.length ?? 0) + (message.status ? mostStatusText : 0);
    for (const [key, value] of message.metadata ?? []) bytes += 3 * (key.length + value.length) + 6;
    return bytes;
  }

  // One frame. With `more` its body goes on in messages of kind PART.
  encode(message) {
    this.check(message);
    const shape = shapeOf(message);
    const out = new Bytes();
    let first = kinds.get(message.kind);
    if (shape.id || (message.more && shape.more)) out.varint(message.id);
    if (shape.method) this.#name(out, message.method);
    if (shape.deadline && message.deadline !== undefined && message.deadline <= longestDeadline) {
      first |= shape.deadline;
      out.varint(Math.max(0, Math.floor(message.deadline)));
    }
    if (shape.own && message.own) first |= shape.own;
    if (shape.status && message.status) {
      first |= shape.status;
      writeStatus(out, message.status);
    } else if (message.kind === 'GO_AWAY') {
      writeStatus(out, message.status);
    }
    if (shape.metadata && message.metadata?.length > 0) {
      first |= shape.metadata;
      out.varint(message.metadata.length);
      for (const [key, value] of message.metadata) {
        out.text(key);
        out.text(value);
      }
    }
    if (shape.codec) {
      out.byte(message.codec | (message.filters ? 0x80 : 0));
      if (message.filters) out.text(message.filters);
    }
    if (shape.value) out.varint(message.value);
    if (shape.eight) out.bytes(message.value);
    if (shape.more && message.more) first |= shape.more;
    if (shape.auth && message.auth) first |= shape.auth;
    return this.#frame(first, out, message.body ?? noBytes);
  }

  #frame(first, fields, body) {
    const head = new Bytes();
    head.byte(first);
    head.varint(fields.size + body.length);
    const frame = new Uint8Array(head.size + fields.size + body.length);
    frame.set(head.take());
    frame.set(fields.take(), head.size);
    frame.set(body, head.size + fields.size);
    return frame;
  }

  #name(out, name) {
    const known = this.#names.get(name);
    if (known !== undefined) return out.varint(known);
    const isKept = this.#names.size < Math.min(this.#other.maxNames, this.#takes.maxNames);
    if (isKept) this.#names.set(name, this.#names.size + 2);
    out.varint(isKept ? 1 : 0);
    out.text(name);
  }
}
