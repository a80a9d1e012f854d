// Decoder: bytes, however they were cut, to messages of the parley framing (framing.js says what a
// message is). It belongs to one connection, and what the other side may make it keep has limits.
import {Code, ParleyError} from './error.js';
import {
  isOfOwnExchange, leastSettings, longestDeadline, longestMethod, magic, mostMetadata, noBytes,
  numberedSettings, partKey, shapes,
} from './layout.js';

const longestSettings = 1024;
const longestId = 2 ** 31 - 1;
const mostUnfinished = 64;
const extensionKind = 15;
const fromUtf8 = new TextDecoder('utf-8', {ignoreBOM: true});

// The fields of one frame. A mistake throws at once.
class Reader {
  #name;
  #bytes;
  #at = 0;

  constructor(name, bytes) {
    this.#name = name;
    this.#bytes = bytes;
  }
  get left() {
    return this.#bytes.length - this.#at;
  }
  refuse(field, what) {
    throw new ParleyError('invalid_argument', `${this.#name}: ${field}: ${what}`);
  }
  byte(field) {
    if (this.left === 0) this.refuse(field, 'it goes beyond the end of the frame');
    return this.#bytes[this.#at++];
  }
  // A number, or a BigInt where that would not be exact.
  varint(field) {
    const {value, size} = readVarint(this.#bytes, this.#at);
    if (size === 0) this.refuse(field, 'it goes beyond the end of the frame');
    if (size < 0) this.refuse(field, 'it is longer than it has to be, or has more than 64 bits');
    this.#at += size;
    return value;
  }
  bytes(size, field) {
    if (size > this.left) this.refuse(field, `${size} bytes, but ${this.left} are left`);
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
  text(field) {
    return fromUtf8.decode(this.bytes(this.varint(field), field));
  }
  rest() {
    return this.#bytes.slice(this.#at);
  }
}

// size 0: it is not whole; -1: more than 64 bits, or longer than it has to be.
function readVarint(bytes, at) {
  let value = 0;
  for (let i = 0; i < 10 && at + i < bytes.length; ++i) {
    const byte = bytes[at + i];
    if (i === 7) value = BigInt(value);
    if (i < 7) value += (byte & 0x7f) * 2 ** (7 * i);
    else value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte >= 0x80) continue;
    if ((byte === 0 && i > 0) || (i === 9 && byte > 1)) return {value: 0, size: -1};
    const isExact = value <= Number.MAX_SAFE_INTEGER;
    return {value: isExact ? Number(value) : value, size: i + 1};
  }
  return {value: 0, size: bytes.length - at < 10 ? 0 : -1};
}

function readStatus(reader) {
  const code = reader.varint('status code');
  const zigzag = BigInt(reader.varint('business code'));
  const businessCode = Number(zigzag & 1n ? -(zigzag + 1n) / 2n : zigzag / 2n);
  const message = reader.text('status message');
  const cause = reader.text('status cause');
  if (businessCode < -(2 ** 31) || businessCode >= 2 ** 31) {
    reader.refuse('business code', 'it has more than 32 bits');
  }
  if (code === 0) {
    if (businessCode !== 0 || message || cause) {
      reader.refuse('status', 'it is ok and says what is wrong');
    }
    return null;
  }
  return {code: code > Code.outcome_unknown ? Code.unknown : code, businessCode, message, cause};
}

export class Decoder {
  #takes;
  #maxUnfinished;
  #buffer = noBytes;  // what is being read, from #at on
  #at = 0;
  #chunks = [];       // what came behind it
  #total = 0;         // bytes of all of it
  #need = 1;          // no frame is whole before there are so many
  #names = [];
  #unfinished = new Map();
  #unfinishedBytes = 0;
  #error = null;
  // What the other side takes; null before its hello.
  settings = null;

  constructor(takes = {}, maxUnfinishedBytes = 64 << 20) {
    this.#takes = {...leastSettings, ...takes};
    this.#maxUnfinished = maxUnfinishedBytes;
  }

  // Bytes of frames that are not whole yet.
  get buffered() {
    return this.#total;
  }
  get unfinished() {
    return this.#unfinished.size;
  }

  // The bytes are kept until they are read: they must not change.
  feed(bytes) {
    if (this.#error !== null || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#total += bytes.length;
  }

  // The next message, or null. What comes in parts is returned when it is whole. A mistake of the
  // other side is thrown, again each time.
  next() {
    if (this.#error !== null) throw this.#error;
    try {
      for (;;) {
        const message = this.#advance();
        if (message !== undefined) return message;
      }
    } catch (error) {
      this.#error = error;
      this.#chunks = [];
      this.#buffer = noBytes;
      this.#total = this.#at = 0;
      this.#unfinished.clear();
      throw error;
    }
  }

  // One frame further: a message, null when none is whole, undefined when there may be more.
  #advance() {
    if (this.#total < this.#need || this.#total === 0) return null;
    if (this.#buffer.length - this.#at < Math.max(this.#need, Math.min(this.#total, 16))) {
      this.#join();
    }
    const sizes = this.#sizes();
    if (sizes === null || this.#total < sizes.head + sizes.payload) {
      this.#need = sizes === null ? this.#total + 1 : sizes.head + sizes.payload;
      return null;
    }
    const {head, payload} = sizes;
    this.#need = head + payload;
    if (this.#buffer.length - this.#at < this.#need) this.#join();
    const first = this.#buffer[this.#at];
    const bytes = this.#buffer.subarray(this.#at + head, this.#at + head + payload);
    this.#at += head + payload;
    this.#total -= head + payload;
    this.#need = 1;
    if (this.settings === null) return this.#takeHello(bytes);
    return this.#takeFrame(first, bytes);
  }

  #join() {
    const joined = new Uint8Array(this.#total);
    let at = 0;
    for (const chunk of [this.#buffer.subarray(this.#at), ...this.#chunks]) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#buffer = joined;
    this.#at = 0;
    this.#chunks = [];
  }

  // How many bytes the next frame has before its payload and in it; null: that is not known yet.
  #sizes() {
    const bytes = this.#buffer.subarray(this.#at);
    const isHello = this.settings === null;
    if (isHello) {
      if (magic.some((byte, i) => i < bytes.length && bytes[i] !== byte)) {
        throw new ParleyError('invalid_argument', 'parley hello: it does not begin with ' +
          'F0 50 52 4C: the other side speaks another protocol');
      }
      if (bytes.length > 4 && bytes[4] === 0) {
        throw new ParleyError('invalid_argument', 'parley hello: version 0 does not exist');
      }
    }
    const prefix = isHello ? 5 : 1;
    if (bytes.length <= prefix) return null;
    const {value, size} = readVarint(bytes, prefix);
    if (size === 0) return null;
    if (size < 0) {
      throw new ParleyError('invalid_argument',
        'parley frame: length: it is longer than it has to be, or has more than 64 bits');
    }
    const limit = isHello ? longestSettings : this.#takes.maxFrame;
    if (value > limit) {
      throw new ParleyError('resource_exhausted', isHello
        ? `${value} bytes of settings are more than a hello may have (${limit})`
        : `${value} bytes of a frame are more than max_frame (${limit})`);
    }
    return {head: prefix + size, payload: value};
  }

  #takeHello(bytes) {
    const reader = new Reader('parley hello', bytes);
    const settings = {...leastSettings};
    for (let last = 0; reader.left > 0;) {
      const number = reader.varint('number of a setting');
      const value = reader.varint('value of a setting');
      if (number <= last) reader.refuse('settings', 'their numbers do not ascend');
      last = number;
      const name = numberedSettings[Number(number) - 1];
      if (name === undefined) continue;  // of a later version
      if (value < settings[name]) {
        reader.refuse(name, `${value} is below the least (${settings[name]})`);
      }
      settings[name] = Math.min(Number(value), 2 ** 50);
    }
    this.settings = settings;
    return {kind: 'HELLO', settings};
  }

  #takeFrame(first, bytes) {
    const kind = first & 0x0f;
    const flags = first & 0xf0;
    if (kind === extensionKind) {
      new Reader('parley extension', bytes).varint('number');
      return undefined;
    }
    const shape = shapes[kind];
    const reader = new Reader(`parley ${shape?.kind ?? 'frame'}`, bytes);
    if (shape === null) reader.refuse('kind', 'it is reserved');
    if ((flags & ~shape.flags) !== 0) {
      reader.refuse('flags', 'one that frames of this kind lack');
    }
    const has = (flag) => (flags & (shape[flag] ?? 0)) !== 0;
    const message = {
      kind: shape.kind, id: 0, own: has('own'), more: has('more'), method: '',
      deadline: undefined, status: null, metadata: [], codec: 0, filters: null, value: 0,
      body: noBytes, auth: has('auth'), refused: false,
    };
    if (shape.id || message.more) message.id = this.#readId(reader, message);
    if (shape.method) message.method = this.#readMethod(reader);
    if (has('deadline')) {
      message.deadline = reader.varint('deadline');
      if (message.deadline > longestDeadline) {
        reader.refuse('deadline', `${message.deadline} microseconds are more than 2^50`);
      }
    }
    if (has('status') || message.kind === 'GO_AWAY') message.status = readStatus(reader);
    if (has('metadata')) this.#readMetadata(reader, message);
    if (shape.codec) this.#readCodec(reader, message);
    if (shape.value) message.value = reader.varint('value');
    if (shape.eight) message.value = reader.bytes(8, 'payload').slice();
    if (!shape.body && reader.left > 0) {
      reader.refuse('payload', `${reader.left} bytes too many`);
    }
    if (message.kind === 'CANCEL') this.#forget(partKey(message.id, true));
    if (message.kind === 'PART') return this.#takePart(message, reader.rest());
    if (message.more) return this.#beginParts(message, reader.rest());
    if (reader.left > this.#takes.maxMessage) {
      this.#refuseBody(message, reader.left);
    } else if (reader.left > 0) {
      message.body = reader.rest();
    }
    return message;
  }

  #readId(reader, message) {
    const id = reader.varint('id');
    if (id > longestId || (id === 0 && (message.kind !== 'CREDIT' || message.own))) {
      reader.refuse('id', `${id} is not one between 1 and ${longestId}`);
    }
    return id;
  }

  #readMethod(reader) {
    const number = reader.varint('method');
    if (number >= 2) {
      const name = this.#names[Number(number) - 2];
      if (name === undefined) reader.refuse('method', `no name was kept as ${number}`);
      return name;
    }
    const size = reader.varint('method');
    if (size > longestMethod) {
      reader.refuse('method', `a name of ${size} bytes, at most ${longestMethod}`);
    }
    const name = fromUtf8.decode(reader.bytes(size, 'method'));
    if (number === 0) return name;
    if (this.#names.length >= this.#takes.maxNames) {
      reader.refuse('method',
        `more names are to be kept than max_names (${this.#takes.maxNames})`);
    }
    this.#names.push(name);
    return name;
  }

  #readMetadata(reader, message) {
    const count = reader.varint('metadata');
    if (count > mostMetadata) {
      reader.refuse('metadata',
        `${count} entries are more than max_metadata_entries (${mostMetadata})`);
    }
    for (let i = 0; i < count; ++i) {
      const key = reader.text('metadata key');
      message.metadata.push([key, reader.text('metadata value')]);
    }
  }

  #readCodec(reader, message) {
    const codec = reader.byte('codec');
    message.codec = codec & 0x7f;
    if (codec < 0x80) return;
    const filters = reader.bytes(reader.varint('filters'), 'filters').slice();
    if (filters.length < 1 || filters.length > 8) {
      reader.refuse('filters', `${filters.length} of them; one to eight are allowed`);
    }
    if (filters.includes(0)) reader.refuse('filters', 'there is none of id 0');
    if (new Set(filters).size < filters.length) reader.refuse('filters', 'one stands there twice');
    message.filters = filters;
  }

  #beginParts(message, body) {
    if (this.#unfinished.size >= mostUnfinished) {
      throw new ParleyError('resource_exhausted',
        `parley frame: more than ${mostUnfinished} bodies are under way in parts`);
    }
    const key = partKey(message.id, isOfOwnExchange(message));
    if (this.#unfinished.has(key)) {
      throw new ParleyError('invalid_argument',
        `parley frame: another body of id ${message.id} is still under way in parts`);
    }
    message.more = false;
    const begun = {message, parts: [], bytes: 0, held: 0, isRefused: false};
    this.#unfinished.set(key, begun);
    this.#addPart(begun, body);
    return undefined;
  }

  #takePart(message, body) {
    const key = partKey(message.id, message.own);
    const begun = this.#unfinished.get(key);
    if (begun === undefined) {
      throw new ParleyError('invalid_argument',
        `parley PART: id: no body of ${message.id} is under way in parts`);
    }
    this.#addPart(begun, body);
    if (message.more) return undefined;
    this.#forget(key);
    if (begun.isRefused) {
      this.#refuseBody(begun.message, begun.bytes);
      return begun.message;
    }
    begun.message.body = concat(begun.parts, begun.bytes);
    return begun.message;
  }

  // A body that grows too large is let go of: its exchange ends with an error, not the session.
  #addPart(begun, body) {
    begun.bytes += body.length;
    if (begun.isRefused) return;
    const isAlone = this.#unfinishedBytes === begun.held;
    begun.held += body.length;
    this.#unfinishedBytes += body.length;
    begun.parts.push(body);
    if (begun.bytes <= this.#takes.maxMessage &&
        (isAlone || this.#unfinishedBytes <= this.#maxUnfinished)) return;
    begun.isRefused = true;
    begun.parts = [];
    this.#unfinishedBytes -= begun.held;
    begun.held = 0;
  }

  #refuseBody(message, bytes) {
    const limit = this.#takes.maxMessage;
    message.refused = true;
    message.value = bytes;
    message.filters = null;
    message.status = {
      code: Code.resource_exhausted, businessCode: 0, cause: '',
      message: bytes > limit ? `${bytes} bytes are more than max_message (${limit})`
        : `${bytes} bytes in parts did not fit beside others`,
    };
  }

  #forget(key) {
    this.#unfinishedBytes -= this.#unfinished.get(key)?.held ?? 0;
    this.#unfinished.delete(key);
  }
}

export function concat(pieces, size) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
