// The framing codec: golden vectors, every cut, the independent reader and writer in Python, and
// what a hostile side may send.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {Decoder, Encoder, leastSettings} from '../framing.js';
import {bytesOf, fromHex, golden, joined, textOf, toHex} from './golden.js';

const plain = {
  id: 0, own: false, more: false, method: '', deadline: undefined, status: null, metadata: [],
  codec: 0, filters: null, value: 0, body: '', auth: false, refused: false,
};
// A message without what is as in most.
const brief = (message) => {
  const all = {...message, body: textOf(message.body ?? new Uint8Array())};
  return Object.fromEntries(Object.entries(all).filter(([key, value]) =>
    JSON.stringify(value) !== JSON.stringify(plain[key])));
};

function read(bytes, step = bytes.length) {
  const decoder = new Decoder();
  const messages = [];
  for (let at = 0; at < bytes.length; at += step) {
    decoder.feed(bytes.subarray(at, at + step));
    for (let m = decoder.next(); m !== null; m = decoder.next()) messages.push(m);
  }
  assert.equal(decoder.buffered, 0);
  assert.equal(messages.shift().kind, 'HELLO');
  return messages;
}
const j = 'j'.charCodeAt(0);

// What each vector means, and whether this side writes the same bytes.
const meanings = {
  call: {kind: 'CALL', id: 1, method: '/math/add', codec: j, body: '{"a":1}'},
  reply: {kind: 'REPLY', id: 1, codec: j, body: '3'},
  error: {kind: 'REPLY', id: 2, status: {code: 5, businessCode: 0, message: 'no', cause: ''}},
  business: {
    kind: 'REPLY', id: 3, status: {code: 9, businessCode: 1001, message: 'bad', cause: 'x'}},
  open: {kind: 'OPEN', id: 5, method: '/chat', codec: 'p'.charCodeAt(0)},
  data: {kind: 'DATA', id: 5, own: true, body: '\x08\x01'},
  credit: {kind: 'CREDIT', id: 5, value: 131072},
  end: {kind: 'END', id: 5, own: true},
  end_with_status: {
    kind: 'END', id: 5, status: {code: 10, businessCode: 0, message: '', cause: ''}},
  cancel: {kind: 'CANCEL', id: 2},
  ping: {kind: 'PING', value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)},
  pong: {kind: 'PONG', value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)},
  go_away: {
    kind: 'GO_AWAY', value: 5000, status: {code: 14, businessCode: 0, message: 'bye', cause: ''}},
};

test('the golden vectors are there', () => {
  assert.ok(Object.keys(golden).length >= 20, Object.keys(golden).join());
});

for (const [name, meaning] of Object.entries(meanings)) {
  test(`reads and writes the golden vector ${name}`, () => {
    const messages = read(joined(golden.hello, golden[name]));
    assert.deepEqual(messages.map(brief), [meaning]);
    const encoder = new Encoder();
    const again = encoder.encode({...meaning, body: bytesOf(meaning.body ?? '')});
    assert.equal(toHex(again), toHex(golden[name]));
  });
}

test('writes and reads hellos', () => {
  assert.equal(toHex(new Encoder().hello()), toHex(golden.hello));
  const encoder = new Encoder({maxFrame: 131072, maxNames: 300});
  assert.equal(toHex(encoder.hello()), toHex(golden.hello_with_settings));
  const decoder = new Decoder();
  decoder.feed(golden.hello_with_settings);
  assert.deepEqual(decoder.next().settings, {...leastSettings, maxFrame: 131072, maxNames: 300});
  assert.throws(() => new Encoder({maxFrame: 1}), {name: 'invalid_argument'});
});

test('names are kept, metadata and deadlines carried', () => {
  const full = {
    kind: 'CALL', id: 300, method: '/math/add', deadline: 1_500_000, codec: j, body: '{"a":1}',
    metadata: [['tag', 'a'], ['tag', 'b']]};
  const messages = read(joined(golden.hello, golden.call, golden.second_call, golden.full_call));
  assert.deepEqual(messages.map(brief), [meanings.call, {...meanings.call, id: 2}, full]);
  const encoder = new Encoder();
  for (const [message, bytes] of [[meanings.call, golden.call],
    [{...meanings.call, id: 2}, golden.second_call], [full, golden.full_call]]) {
    assert.equal(toHex(encoder.encode({...message, body: bytesOf(message.body)})), toHex(bytes));
  }
});

test('bodies in parts come whole, others between them, extensions not at all', () => {
  const parts = joined(golden.hello, golden.parts, golden.extension, golden.interleaved,
    golden.filtered_call, golden.push);
  const expected = [
    {kind: 'PING', value: new Uint8Array(8)},
    {kind: 'PUSH', id: 7, method: '/big', body: 'abc'},
    {kind: 'PING', value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7)},
    {kind: 'REPLY', id: 9, codec: j, body: 'xyz'},
    {kind: 'CALL', id: 1, method: '/big', codec: j, body: 'abcde'},
  ];
  for (let step = 1; step <= parts.length; ++step) {
    const messages = read(parts, step);
    assert.deepEqual(messages.slice(0, 5).map(brief), expected);
    const [filtered, push] = messages.slice(5);
    assert.deepEqual([filtered.method, toHex(filtered.filters), toHex(filtered.body)],
      ['/z', '7a63', 'aabb']);
    assert.deepEqual(brief(push),
      {kind: 'PUSH', method: '/news', codec: 's'.charCodeAt(0), body: 'hi'});
  }
});

test('reads the same however the bytes are cut in two', () => {
  const all = joined(golden.hello_with_settings, golden.call, golden.full_call, golden.error,
    golden.parts, golden.go_away);
  const whole = read(all).map(brief);
  for (let cut = 1; cut < all.length; ++cut) {
    const decoder = new Decoder();
    const messages = [];
    for (const piece of [all.subarray(0, cut), all.subarray(cut)]) {
      decoder.feed(piece);
      for (let m = decoder.next(); m !== null; m = decoder.next()) messages.push(m);
    }
    assert.deepEqual(messages.slice(1).map(brief), whole, `cut at ${cut}`);
  }
});

// --- The reader and writer in Python, which was written from the document alone

const reference = fileURLToPath(
  new URL('../../../parley/wire/parley_reference.py', import.meta.url));
const numbers = {
  CALL: 1, REPLY: 2, PUSH: 3, OPEN: 4, DATA: 5, END: 6, CANCEL: 7, CREDIT: 8, PING: 10, PONG: 11,
  GO_AWAY: 12, AUTH_CALL: 1, AUTH_REPLY: 2};

// A line of the reference as a message with texts, as this side reads them.
function meaningOf(line) {
  const [kind, id, own, method, deadline, code, business, msg, cause, codec, filters, value,
    metadata, body] = line.split(' ');
  const bytes = (hex) => (hex === '-' ? new Uint8Array() : fromHex(hex));
  const text = (hex) => textOf(bytes(hex));
  return {
    kind: kind.replace('AUTH_', ''), auth: kind.startsWith('AUTH'), id: Number(id),
    own: own === '1', method: text(method),
    deadline: deadline === '-' ? undefined : Number(deadline), codec: Number(codec),
    status: code === '0' ? null
      : {
        code: Number(code), businessCode: Number(business), message: text(msg),
        cause: text(cause)},
    metadata: metadata === '-' ? []
      : metadata.split(',').map((entry) => entry.split(':').map((hex) => textOf(fromHex(hex)))),
    filters: filters === '-' ? null : toHex(fromHex(filters)),
    value: BigInt(value), body: toHex(bytes(body)),
  };
}
function comparable(message) {
  const {kind, auth, id, own, method, deadline, codec, status, metadata, filters, body} = message;
  const isPing = kind === 'PING' || kind === 'PONG';
  const value = isPing ? BigInt(`0x${toHex(message.value)}`) : BigInt(message.value);
  return {
    kind, auth, id, own, method, deadline, codec, status, metadata,
    filters: filters === null ? null : toHex(filters), value, body: toHex(body)};
}

function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-js-'));
  try {
    return use((name) => join(folder, name));
  } finally {
    rmSync(folder, {recursive: true});
  }
}

test('reads what the reference writes, and the reference what this side makes of it', () => {
  withFolder((path) => {
    for (const seed of ['1', '2', '3']) {
      execFileSync('python3', [reference, 'generate', seed, '400', path('stream'), path('lines')]);
      const lines = readFileSync(path('lines'), 'ascii').trimEnd().split('\n').map(meaningOf);
      const messages = read(new Uint8Array(readFileSync(path('stream'))), 97);
      assert.deepEqual(messages.map(comparable), lines);

      const encoder = new Encoder();
      const out = [encoder.hello()];
      for (const message of messages) {
        assert.ok(numbers[message.kind]);
        out.push(encoder.encode(message));
      }
      writeFileSync(path('ours'), joined(...out));
      execFileSync('python3', [reference, 'decode', path('ours'), path('back')]);
      const back = readFileSync(path('back'), 'ascii').trimEnd().split('\n').map(meaningOf);
      // A PUSH that came in parts had an id, which one in one piece has not.
      const expected = lines.map((each) => (each.kind === 'PUSH' ? {...each, id: 0} : each));
      assert.deepEqual(back, expected);
    }
  });
});

// --- A hostile side

const afterHello = {
  'a reserved kind': ['00 00', /kind: it is reserved/],
  'another one': ['0d 00', /reserved/],
  'a flag that its kind lacks': ['17 01 02', /flags/],
  'a length longer than it has to be': ['01 80 00', /length/],
  'a length of more than 64 bits': ['01 ffffffffffffffffff7f', /length/],
  'a frame beyond max_frame': ['01 ffffffff0f', /max_frame/],
  'an id of nothing': ['07 01 00', /id/],
  'an id beyond 31 bits': ['07 05 8080808008', /id/],
  'an id that ends beyond its frame': ['07 01 80', /id/],
  'a name that was never kept': ['01 03 01 02 6a', /no name was kept/],
  'a name longer than its frame': ['01 04 01 00 7f 6a', /method/],
  'a name beyond 255 bytes': [`01 8502 01 00 8002 ${'61'.repeat(256)} 6a`, /at most 255/],
  'a status that is ok and says why': ['12 06 01 00 00 01 61 00', /status/],
  'a business code of more than 32 bits': ['12 0b 01 05 8080808080 01 00 00 00', /business code/],
  'more metadata than is allowed': ['21 07 01 00 01 61 ffff 03', /max_metadata_entries/],
  'metadata that ends too early': ['21 05 01 00 01 61 05', /metadata/],
  'no filters where there should be some': ['01 06 01 00 01 61 ea 00', /filters/],
  'a filter twice': ['01 08 01 00 01 61 ea 02 7a7a', /filters/],
  'a payload too long': ['07 02 01 01', /bytes too many/],
  'a ping of seven bytes': ['0a 07 01020304050607', /payload/],
  'a part of nothing': ['09 01 05', /no body/],
  'a second body of one id in parts': [
    '41 06 01 00 01 61 6a 61 41 06 01 00 01 61 6a 61', /another/],
  'an extension without a number': ['0f 00', /number/],
};

for (const [what, [hex, why]] of Object.entries(afterHello)) {
  test(`refuses ${what}`, () => {
    const decoder = new Decoder();
    decoder.feed(joined(golden.hello, fromHex(hex)));
    assert.equal(decoder.next().kind, 'HELLO');
    const isWhy = (error) => why.test(error.message) &&
      ['invalid_argument', 'resource_exhausted'].includes(error.name);
    assert.throws(() => decoder.next(), isWhy);
    decoder.feed(golden.ping);
    assert.throws(() => decoder.next(), isWhy, 'what follows is not read');
  });
}

test('refuses what is no hello as early as it can', () => {
  for (const [hex, why] of [['47', /another protocol/], ['f050524d', /another protocol/],
    ['f050524c00', /version 0/], ['f050524c01 8110', /settings/],
    ['f050524c01 02 0101', /below the least/], ['f050524c01 07 06ac0201808008', /ascend/]]) {
    const decoder = new Decoder();
    decoder.feed(fromHex(hex));
    assert.throws(() => decoder.next(), (error) => why.test(error.message), hex);
  }
});

test('a later version, and settings of one, are taken', () => {
  const decoder = new Decoder();
  decoder.feed(fromHex('f050524c 09 04 63 05 7f 01'.replaceAll(' ', '')));
  assert.deepEqual(decoder.next().settings, leastSettings);
});

test('a body beyond max_message is refused alone, whole and in parts', () => {
  const takes = {maxFrame: 200_000, maxMessage: 65_536};
  const encoder = new Encoder(takes);
  encoder.allow({...leastSettings, maxFrame: 200_000, maxMessage: 1 << 20});
  const roomy = new Encoder({maxFrame: 200_000, maxMessage: 1 << 20});
  roomy.allow({...leastSettings, maxFrame: 200_000, maxMessage: 1 << 20});
  assert.throws(() => encoder.encode({kind: 'PUSH', method: '/a', codec: j,
    body: new Uint8Array(65_537)}), {name: 'resource_exhausted'});
  const decoder = new Decoder(takes);
  decoder.feed(roomy.hello());
  decoder.next();
  decoder.feed(roomy.encode(
    {kind: 'CALL', id: 1, method: '/a', codec: j, body: new Uint8Array(65_537)}));
  decoder.feed(roomy.encode(
    {kind: 'CALL', id: 2, method: '/a', codec: j, body: new Uint8Array(40_000), more: true}));
  decoder.feed(roomy.encode({kind: 'PART', id: 2, own: true, body: new Uint8Array(40_000)}));
  decoder.feed(roomy.encode({kind: 'CALL', id: 3, method: '/a', codec: j, body: bytesOf('1')}));
  const came = [decoder.next(), decoder.next(), decoder.next()];
  assert.deepEqual(came.map((m) => [m.id, m.refused, m.status?.code ?? 0, m.body.length]),
    [[1, true, 8, 0], [2, true, 8, 0], [3, false, 0, 1]]);
});

test('takes no more bodies in parts than sixty-four', () => {
  const decoder = new Decoder();
  const encoder = new Encoder();
  decoder.feed(encoder.hello());
  for (let id = 1; id <= 65; ++id) {
    decoder.feed(encoder.encode({kind: 'CALL', id, method: '/a', codec: j, more: true}));
  }
  assert.equal(decoder.next().kind, 'HELLO');
  assert.throws(() => decoder.next(), {name: 'resource_exhausted'});
});

test('a CANCEL ends what is unfinished of its CALL', () => {
  const decoder = new Decoder();
  const encoder = new Encoder();
  decoder.feed(encoder.hello());
  decoder.feed(encoder.encode({kind: 'CALL', id: 1, method: '/a', codec: j, more: true}));
  decoder.feed(encoder.encode({kind: 'CANCEL', id: 1}));
  assert.equal(decoder.next().kind, 'HELLO');
  assert.equal(decoder.next().kind, 'CANCEL');
  assert.equal(decoder.unfinished, 0);
});

test('texts of a status beyond 16 KiB are cut between two characters', () => {
  const encoder = new Encoder();
  const decoder = new Decoder();
  decoder.feed(encoder.hello());
  decoder.feed(encoder.encode({kind: 'REPLY', id: 1, codec: 0, status: {
    code: 13, businessCode: -5, message: 'ü'.repeat(9_000), cause: 'x'.repeat(9_000)}}));
  decoder.next();
  const {status} = decoder.next();
  assert.equal(status.businessCode, -5);
  assert.ok(status.message.endsWith('ü…') && status.cause.endsWith('x…'));
  assert.ok(bytesOf(status.message).length + bytesOf(status.cause).length <= 16_384);
});

test('random bytes behind a hello end in messages or one error, never in anything else', () => {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  let errors = 0;
  for (let round = 0; round < 3_000; ++round) {
    const decoder = new Decoder();
    decoder.feed(golden.hello);
    const size = 1 + random() % 40;
    const bytes = Uint8Array.from({length: size}, () => random() & 0xff);
    bytes[1] = random() % size;
    decoder.feed(bytes);
    try {
      while (decoder.next() !== null);
    } catch (error) {
      ++errors;
      assert.ok(['invalid_argument', 'resource_exhausted'].includes(error.name), error.stack);
    }
  }
  assert.ok(errors > 100);
});
