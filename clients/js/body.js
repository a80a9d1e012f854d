// Bodies: what is called with and what comes back, as bytes. JSON unless it is said otherwise.
import {ParleyError} from './error.js';
import {parseJson, writeJson} from './json.js';
import {noBytes} from './layout.js';

const ids = {none: '\0', json: 'j', protobuf: 'p', msgpack: 'm', thrift: 't', xml: 'x', plain: 's',
  form: 'f'};
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', {ignoreBOM: true});

const builtIn = {
  json: {
    encode: (value) => {
      const text = writeJson(value);
      if (text === undefined) throw new TypeError('it is nothing that JSON has');
      return utf8.encode(text);
    },
    decode: (bytes) => parseJson(fromUtf8.decode(bytes)),
  },
  plain: {
    encode: (value) => utf8.encode(String(value)),
    decode: (bytes) => fromUtf8.decode(bytes),
  },
};

const bytesOf = (value) => {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return undefined;
};

export class Bodies {
  #byId = new Map();

  // `more`: further codecs by name ("msgpack") or by their one letter: {encode, decode}. Without
  // `bigInts` integers beyond 2^53 come as the next Number.
  constructor(more = {}, bigInts = true) {
    const json = bigInts ? builtIn.json
      : {...builtIn.json, decode: (bytes) => JSON.parse(fromUtf8.decode(bytes))};
    for (const [name, codec] of Object.entries({...builtIn, json, ...more})) {
      this.#byId.set(Bodies.idOf(name), codec);
    }
  }

  // The number of a codec by its name, its letter or itself.
  static idOf(name) {
    const id = typeof name === 'number' ? name : (ids[name] ?? String(name)).charCodeAt(0);
    const isKnown = typeof name === 'number' || name in ids || String(name).length === 1;
    if (isKnown && id >= 0 && id < 0x80) return id;
    throw new ParleyError('invalid_argument', `there is no codec '${name}'`);
  }

  // {codec, body}. Nothing is nothing; bytes travel as they are, under the codec's name.
  write(value, codec) {
    if (value === undefined) return {codec: 0, body: noBytes};
    const id = Bodies.idOf(codec);
    const bytes = bytesOf(value);
    if (bytes !== undefined) return {codec: id, body: bytes};
    const known = this.#byId.get(id);
    if (known === undefined) {
      throw new ParleyError('invalid_argument',
        `codec '${codec}' is not known here: give bytes, or name it in the option codecs`);
    }
    try {
      return {codec: id, body: known.encode(value)};
    } catch (error) {
      throw new ParleyError('invalid_argument',
        `what was given cannot be written: ${error.message}`);
    }
  }

  canWrite(id, value) {
    return value === undefined || bytesOf(value) !== undefined || this.#byId.has(id);
  }

  // What a body says; bytes where the codec is not known here.
  read(id, bytes) {
    if (id === 0 && bytes.length === 0) return undefined;
    const known = this.#byId.get(id);
    if (known === undefined) return bytes;
    try {
      return known.decode(bytes);
    } catch (error) {
      throw new ParleyError('invalid_argument', `what came cannot be read: ${error.message}`);
    }
  }
}

// Metadata as a list of pairs, however it was given.
export const pairsOf = (metadata) =>
  (Array.isArray(metadata) ? metadata : Object.entries(metadata ?? {}))
    .map(([key, value]) => [String(key), String(value)]);
