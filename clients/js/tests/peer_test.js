// The peer beside a network and a clock that do as they are told.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Code, ParleyError, connect} from '../parley.js';
import {FakeNetwork, settle} from './fake.js';
import {bytesOf, textOf} from './golden.js';

// What becomes of a promise, without waiting for it.
function watch(promise) {
  const seen = {is: 'pending'};
  promise.then(
    (value) => Object.assign(seen, {is: 'done', value}),
    (error) => Object.assign(seen, {is: error.name, error}));
  return seen;
}
const reply = (other, id, value) =>
  other.say({kind: 'REPLY', id, body: bytesOf(JSON.stringify(value))});

test('a call is answered by its number, whatever the order', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  const [one, two] = [watch(peer.call('/a', 1)), watch(peer.call('/a', [1, 2]))];
  await settle();
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.method, textOf(m.body), m.deadline]),
    [['CALL', '/a', '1', 30_000_000], ['CALL', '/a', '[1,2]', 30_000_000]]);
  assert.equal(network.other.parts, 2, 'the hello, and both together');
  reply(network.other, 2, 'two');
  reply(network.other, 1, 'one');
  await settle();
  assert.deepEqual([one.value, two.value], ['one', 'two']);
});

test('an answer nobody waits for is dropped, and its number is used again only then', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  const late = watch(peer.call('/a', 1, {timeoutMs: 50}));
  await network.clock.advance(49);
  assert.equal(late.is, 'pending');
  await network.clock.advance(1);
  assert.equal(late.is, 'deadline_exceeded');
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.id]), [['CALL', 1], ['CANCEL', 1]]);
  reply(network.other, 1, 'late');
  const next = watch(peer.call('/a', 2));
  await settle();
  reply(network.other, network.other.got.at(-1).id, 'next');
  await settle();
  assert.equal(next.value, 'next');
});

test('what was sent may have run, what was not is said to be so', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({reconnect: false, maxBuffered: 1});
  const sent = watch(peer.call('/a', 'sent'));
  await settle();
  network.last.isStuck = true;
  const given = watch(peer.call('/a', 'given to the socket'));
  await settle();
  const kept = watch(peer.call('/a', 'kept'));
  await settle();
  network.last.drop();
  await settle();
  assert.deepEqual([sent.is, given.is, kept.is],
    ['outcome_unknown', 'outcome_unknown', 'not_sent']);
  assert.equal((await peer.closed).name, 'unavailable');
});

for (const maxBuffered of [10_000, 100_000]) {
  test(`the socket is handed little more than maxBuffered: ${maxBuffered}`, async () => {
    const network = new FakeNetwork();
    const peer = await network.connect({maxBuffered});
    await settle();
    network.last.isStuck = true;
    const pushes = Array.from({length: 40},
      (_, i) => watch(peer.push('/n', `${i}`.padEnd(30_000))));
    await settle();
    const held = network.last.bufferedAmount;
    assert.ok(held >= maxBuffered && held <= maxBuffered + 100_000, `${held}`);
    assert.ok(pushes.every(({is}) => is === 'done'), 'they are on their way');
    for (let i = 0; i < 40; ++i) {
      network.last.take();
      await network.clock.advance(20);
    }
    assert.deepEqual(network.other.of('PUSH').map((m) => parseInt(textOf(m.body).slice(1), 10)),
      Array.from({length: 40}, (_, i) => i));
  });
}

for (const [maxOutgoingBytes, most] of [[100_000, 4], [200_000, 7]]) {
  test(`a push waits while maxOutgoingBytes have not left: ${maxOutgoingBytes}`, async () => {
    const network = new FakeNetwork();
    const peer = await network.connect({maxOutgoingBytes});
    await settle();
    network.last.isStuck = true;
    const pushes = Array.from({length: 10}, () => watch(peer.push('/n', 'x'.repeat(30_000))));
    await settle();
    const done = () => pushes.filter(({is}) => is === 'done').length;
    assert.equal(done(), most);
    const call = watch(peer.call('/a', 1, {timeoutMs: 10}));
    await network.clock.advance(10);
    assert.equal(call.is, 'not_sent');
    for (let i = 0; i < 10; ++i) {
      network.last.take();
      await network.clock.advance(20);
    }
    assert.equal(done(), 10);
  });
}

test('calls at once have a limit', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({maxCalls: 2});
  const calls = [1, 2, 3].map((i) => watch(peer.call('/a', i)));
  await settle();
  assert.deepEqual(calls.map(({is}) => is), ['pending', 'pending', 'resource_exhausted']);
});

test('a large body lets small messages pass, but none that shares its lane', async () => {
  const network = new FakeNetwork();
  network.takes = {maxFrame: 1 << 20, maxMessage: 16 << 20};
  const peer = await network.connect({maxBuffered: 1});
  await settle();
  network.last.isStuck = true;
  const large = [watch(peer.push('/p', 'x'.repeat(300_000))), watch(peer.push('/p', 'small'))];
  await settle();
  const call = watch(peer.call('/a', 1));
  await settle();
  for (let i = 0; i < 20; ++i) {
    network.last.take();
    await network.clock.advance(20);
  }
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.body.length]),
    [['CALL', 1], ['PUSH', 300_002], ['PUSH', 7]]);
  assert.ok(large.every(({is}) => is === 'done') && call.is === 'pending');
});

test('a call that is given up half sent is cut short, before that it is not sent', async () => {
  const network = new FakeNetwork();
  network.takes = {maxFrame: 1 << 20, maxMessage: 16 << 20};
  const peer = await network.connect({maxBuffered: 1});
  await settle();
  network.last.isStuck = true;
  const [first, second] = [0, 1].map(() => new AbortController());
  const begun = watch(peer.call('/a', 'x'.repeat(300_000), {signal: first.signal}));
  await settle();
  const waiting = watch(peer.call('/b', 'y'.repeat(300_000), {signal: second.signal}));
  await settle();
  first.abort();
  second.abort();
  for (let i = 0; i < 20; ++i) {
    network.last.take();
    await network.clock.advance(20);
  }
  assert.deepEqual([begun.is, waiting.is], ['cancelled', 'not_sent']);
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.id]), [['CANCEL', 1]]);
  assert.equal(network.other.unfinished, 0);
});

test('an answer nobody waits for ends with an empty part', async () => {
  const network = new FakeNetwork();
  network.takes = {maxFrame: 1 << 20, maxMessage: 16 << 20};
  await network.connect({maxBuffered: 1, methods: {'/big': () => 'x'.repeat(1_000_000)}});
  await settle();
  network.last.isStuck = true;
  network.other.say({kind: 'CALL', id: 9, method: '/big', codec: 0});
  await settle();
  network.other.say({kind: 'CANCEL', id: 9});
  for (let i = 0; i < 20; ++i) {
    network.last.take();
    await network.clock.advance(20);
  }
  const [answer] = network.other.of('REPLY');
  assert.ok(answer.body.length < 100_000, `${answer.body.length}`);
});

test('what is beyond what the other side takes is refused here', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  await assert.rejects(peer.call('/a', 'x'.repeat(70_000)), {name: 'resource_exhausted'});
  await assert.rejects(peer.call('/'.padEnd(300), 1), {name: 'invalid_argument'});
  await assert.rejects(peer.call('/a', 1, {metadata: {big: 'x'.repeat(70_000)}}),
    {name: 'resource_exhausted'});
});

// --- Dialling again

async function pauses(options, attempts) {
  const network = new FakeNetwork();
  const waits = [];
  const peer = await network.connect({
    ...options, onState: (state, {waitMs}) => state === 'waiting' && waits.push(waitMs)});
  network.isDown = true;
  network.last.drop();
  for (let i = 0; i < attempts; ++i) await network.clock.advance(waits.at(-1) ?? 0);
  return {waits, peer, network};
}

test('the pauses between attempts double up to the longest', async () => {
  const {waits, network} = await pauses({reconnect: {maxIntervalMs: 500}}, 5);
  assert.deepEqual(waits, [100, 200, 400, 500, 500, 500]);
  assert.equal(network.sockets.length, 6);
});

test('chance makes the pauses shorter, by up to their jitter', async () => {
  const half = await pauses({random: () => 1, reconnect: {maxIntervalMs: 500}}, 3);
  assert.deepEqual(half.waits, [50, 100, 200, 250]);
  const none = await pauses({random: () => 1, reconnect: {jitter: 0}}, 1);
  assert.deepEqual(none.waits, [100, 200]);
});

test('after so many attempts it is over', async () => {
  for (const count of [1, 3]) {
    const {peer, network} = await pauses({reconnect: {count}}, 5);
    assert.equal(network.sockets.length, 1 + count);
    assert.equal(peer.state, 'closed');
    await assert.rejects(peer.call('/a', 1), {name: 'not_sent'});
  }
});

test('a connection that does not stand goes on where the outage left off', async () => {
  const network = new FakeNetwork();
  const waits = [];
  await network.connect({
    reconnect: {maxIntervalMs: 1_000}, onState: (_, {waitMs}) => waitMs && waits.push(waitMs)});
  for (const stands of [0, 500, 999, 1_000, 0]) {
    await network.clock.advance(stands);
    network.last.drop();
    await network.clock.advance(waits.at(-1));
  }
  assert.deepEqual(waits, [100, 200, 400, 100, 200]);
});

test('calls wait for the next connection, each for its own time', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({maxCalls: 3});
  network.isDown = true;
  network.last.drop();
  await settle();
  const control = new AbortController();
  const calls = [{timeoutMs: 10}, {signal: control.signal}, {}, {}].map(
    (options) => watch(peer.call('/a', 1, options)));
  await network.clock.advance(10);
  control.abort();
  await settle();
  assert.deepEqual(calls.map(({is}) => is),
    ['not_sent', 'not_sent', 'pending', 'resource_exhausted']);
  network.isDown = false;
  await network.clock.advance(100);
  assert.equal(network.other.of('CALL').length, 1);
});

test('who waited for a connection that could not be made is told where, and why', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({reconnect: {count: 1}});
  network.isDown = true;
  network.complaint = 'connect ECONNREFUSED';
  network.last.drop();
  await settle();
  const call = watch(peer.call('/a', 1));
  await network.clock.advance(100);
  assert.equal(call.is, 'not_sent');
  const cause = 'WebSocket 1006: connect ECONNREFUSED';
  assert.equal(call.error.cause, `no connection to ws://nowhere could be made: ${cause}`);
  assert.equal((await peer.closed).cause, cause);
});

test('the first dial is not repeated', async () => {
  const network = new FakeNetwork();
  network.isDown = true;
  await assert.rejects(network.connect(), {name: 'not_sent', cause: 'WebSocket 1006',
    message: 'no connection to ws://nowhere could be made'});
  assert.equal(network.sockets.length, 1);
});

for (const connectTimeoutMs of [100, 5_000]) {
  test(`who says no hello in ${connectTimeoutMs} ms is left alone`, async () => {
    const network = new FakeNetwork();
    network.isSilent = true;
    const dialled = watch(network.connect({connectTimeoutMs}));
    await network.clock.advance(connectTimeoutMs - 1);
    assert.equal(dialled.is, 'pending');
    await network.clock.advance(1);
    assert.equal(dialled.is, 'not_sent');
    assert.match(dialled.error.message, /ws:\/\/nowhere/);
  });
}

test('who was sent away is not dialled again, unless it is said so', async () => {
  for (const [afterGoAway, code, dials] of [[false, 'aborted', 1], [true, 'aborted', 2],
    [false, 'unavailable', 2]]) {
    const network = new FakeNetwork();
    const peer = await network.connect({reconnect: {afterGoAway}});
    await network.clock.advance(1_000);
    const before = watch(peer.call('/a', 'before'));
    await settle();
    const first = network.other;
    first.say({kind: 'GO_AWAY', value: 0,
      status: {code: Code[code], businessCode: 0, message: 'go', cause: ''}});
    await network.clock.advance(0);
    assert.equal(network.sockets.length, dials);
    const after = watch(peer.call('/a', 'after'));
    await settle();
    assert.equal(after.is, dials === 1 ? 'not_sent' : 'pending');
    assert.equal(first.of('CALL').length, 1, 'nothing new');
    reply(first, 1, 'answered all the same');
    await settle();
    assert.equal(before.value, 'answered all the same');
  }
});

test('a connection that the other side leaves is cut when that takes too long', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({closeTimeoutMs: 50, reconnect: false});
  const call = watch(peer.call('/a', 1));
  await settle();
  network.other.say({kind: 'GO_AWAY', value: 100, status: null});
  await network.clock.advance(149);
  assert.equal(call.is, 'pending');
  await network.clock.advance(1);
  assert.equal(call.is, 'outcome_unknown');
});

test('a WebSocket that is closing is given nothing: it was not sent', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({reconnect: false});
  await settle();
  network.last.readyState = 2;
  const call = watch(peer.call('/a', 1));
  await settle();
  network.last.drop();
  await settle();
  assert.equal(call.is, 'not_sent');
});

for (const bigInts of [true, false]) {
  test(`large integers come as ${bigInts ? 'BigInt' : 'the next Number'}`, async () => {
    const network = new FakeNetwork();
    const peer = await network.connect({bigInts});
    const call = watch(peer.call('/a', 9007199254740993n));
    await settle();
    const [{id, body}] = network.other.of('CALL');
    assert.equal(textOf(body), '9007199254740993');
    network.other.say({kind: 'REPLY', id, body});
    await settle();
    assert.equal(call.value, bigInts ? 9007199254740993n : 9007199254740992);
  });
}

test('a connection that says hello and goodbye in one message is not taken up', async () => {
  const network = new FakeNetwork();
  network.isSilent = true;
  const connecting = watch(network.connect());
  await settle();
  network.other.greetAndLeave({value: 0,
    status: {code: Code.unavailable, businessCode: 0, message: 'shut down', cause: ''}});
  await settle();
  assert.equal(connecting.is, 'unavailable');
});

test('a call that crossed GO_AWAY goes on the next connection', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  await network.clock.advance(1_000);
  const crossed = watch(peer.call('/a', 1));
  await settle();
  const first = network.other;
  first.say({kind: 'GO_AWAY', value: 0, status: null});
  first.say({kind: 'REPLY', id: 1, codec: 0,
    status: {code: Code.not_sent, businessCode: 0, message: 'closing', cause: ''}});
  await network.clock.advance(0);
  reply(network.other, network.other.of('CALL')[0].id, 'second');
  await settle();
  assert.equal(crossed.value, 'second');
});

test('who refuses in onConnect is dialled again', async () => {
  const network = new FakeNetwork();
  let times = 0;
  const peer = await network.connect({onConnect: () => {
    if (++times === 2) throw new Error('no');
  }});
  network.last.drop();
  await network.clock.advance(100);
  assert.equal(peer.state, 'waiting');
  await network.clock.advance(200);
  assert.deepEqual([peer.state, times, network.sockets.length], ['open', 3, 3]);
});

// --- The heart

test('who is silent is asked, and cut when nothing comes', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect(
    {pingIntervalMs: 1_000, pingTimeoutMs: 500, reconnect: false});
  await network.clock.advance(999);
  assert.equal(network.other.of('PING').length, 0);
  await network.clock.advance(1);
  assert.equal(network.other.of('PING').length, 1);
  network.other.say({kind: 'PONG', value: new Uint8Array(8)});
  await network.clock.advance(1_000);
  assert.equal(network.other.of('PING').length, 2);
  await network.clock.advance(499);
  assert.equal(peer.state, 'open');
  await network.clock.advance(1);
  assert.equal(peer.state, 'closed');
});

test('without a ping interval nobody is asked, and pings are answered', async () => {
  const network = new FakeNetwork();
  await network.connect({pingIntervalMs: 0});
  await network.clock.advance(1e6);
  network.other.say({kind: 'PING', value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)});
  await settle();
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.value[0]]), [['PONG', 1]]);
});

test('a page that is offline asks whether the other side is there', async () => {
  const network = new FakeNetwork();
  const page = new EventTarget();
  const peer = await network.connect({page});
  page.dispatchEvent(new Event('offline'));
  await settle();
  assert.equal(network.other.of('PING').length, 1);
  page.dispatchEvent(new Event('pagehide'));
  await network.clock.advance(1e6);
  assert.equal(network.sockets.length, 1, 'nobody dials from a page that is away');
  page.dispatchEvent(new Event('pageshow'));
  await settle();
  assert.deepEqual([network.sockets.length, peer.state], [2, 'open']);
});

// --- Serving

for (const maxHandlers of [1, 2]) {
  test(`requests beyond ${maxHandlers} handlers are refused`, async () => {
    const network = new FakeNetwork();
    const ends = [];
    await network.connect(
      {maxHandlers, methods: {'/slow': () => new Promise((resolve) => ends.push(resolve))}});
    for (const id of [1, 2, 3]) network.other.say({kind: 'CALL', id, method: '/slow', codec: 0});
    await settle();
    const refused = network.other.of('REPLY').map((m) => [m.id, m.status.code]);
    assert.deepEqual(refused, [[2, 8], [3, 8]].slice(maxHandlers - 1));
    for (const end of ends) end('done');
    await settle();
    assert.equal(network.other.of('REPLY').length, 3);
  });
}

test('what a handler throws is the error of its caller', async () => {
  const network = new FakeNetwork();
  const lines = [];
  await network.connect({onReport: (line) => lines.push(line), methods: {
    '/business': () => {
      throw ParleyError.business(1001, 'out of tea');
    },
    '/throws': () => {
      throw new TypeError('oh');
    },
    '/relayed': () => {
      throw new ParleyError('outcome_unknown', 'of another call');
    },
    '/unwritable': () => () => 1,
  }});
  ['/business', '/throws', '/relayed', '/unwritable', '/none'].forEach((method, i) =>
    network.other.say({kind: 'CALL', id: i + 1, method, codec: 0}));
  network.other.say({kind: 'CALL', id: 6, method: '/throws', body: bytesOf('{')});
  network.other.say({kind: 'PUSH', method: '/none', codec: 0});
  network.other.say({kind: 'PUSH', method: '/throws', codec: 0});
  await settle();
  const told = new Map(network.other.of('REPLY').map((m) => [m.id, m.status]));
  assert.deepEqual([1, 2, 3, 4, 5, 6].map((id) => [told.get(id).code, told.get(id).businessCode]),
    [[9, 1001], [13, 0], [2, 0], [3, 0], [5, 0], [3, 0]]);
  assert.equal(told.get(2).cause, 'oh');
  assert.deepEqual(lines.map((line) => /not_found|internal/.exec(line)[0]),
    ['not_found', 'internal']);
});

test('a body in the codec of the program is read and answered in it', async () => {
  const network = new FakeNetwork();
  const reversed = {
    encode: (value) => bytesOf([...value].reverse().join('')),
    decode: (bytes) => [...textOf(bytes)].reverse().join(''),
  };
  const peer = await network.connect(
    {codecs: {msgpack: reversed}, methods: {'/id': (value) => value, '/any': (bytes) => bytes}});
  const m = 'm'.charCodeAt(0);
  network.other.say({kind: 'CALL', id: 1, method: '/id', codec: m, body: bytesOf('abc')});
  network.other.say({kind: 'CALL', id: 2, method: '/any', codec: 112, body: Uint8Array.of(1, 255)});
  const call = watch(peer.call('/a', 'xyz', {codec: 'msgpack'}));
  const bytes = watch(peer.call('/a', Uint8Array.of(9), {codec: 'protobuf'}));
  await settle();
  assert.deepEqual(network.other.of('CALL').map((each) => [each.codec, [...each.body]]),
    [[m, [...bytesOf('zyx')]], [112, [9]]]);
  assert.deepEqual(network.other.of('REPLY').map((each) => [each.codec, [...each.body]]).sort(),
    [[m, [...bytesOf('abc')]], [112, [1, 255]]].sort());
  reply(network.other, 1, 1);
  network.other.say({kind: 'REPLY', id: 2, codec: 115, body: bytesOf('plain')});
  await settle();
  assert.deepEqual([call.value, bytes.value], [1, 'plain']);
  await assert.rejects(peer.call('/a', 1, {codec: 'protobuf'}), {name: 'invalid_argument'});
  await assert.rejects(peer.call('/a', 1, {codec: 'morse'}), {name: 'invalid_argument'});
});

// --- Streams and their credit

test('a sender stops where the credit ends, and goes on when there is more', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  const stream = await peer.open('/s');
  const sends = Array.from({length: 12}, () => watch(stream.send('x'.repeat(9_982))));
  await settle();
  const count = () => sends.filter(({is}) => is === 'done').length;
  assert.equal(count(), 6, '65536 bytes are room for six of 10000');
  network.other.say({kind: 'CREDIT', id: 1, own: false, value: 30_000});
  await settle();
  assert.equal(count(), 9);
  network.other.say({kind: 'END', id: 1, own: false});
  await settle();
  assert.equal(sends.at(-1).is, 'cancelled');
});

test('a message larger than half of the credit goes when half is there', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  const stream = await peer.open('/s');
  const first = watch(stream.send('x'.repeat(32_750)));
  const large = watch(stream.send('y'.repeat(60_000)));
  await settle();
  assert.deepEqual([first.is, large.is], ['done', 'done']);
  const last = watch(stream.send(1));
  network.other.say({kind: 'CREDIT', id: 1, own: false, value: 27_000});
  await settle();
  assert.equal(last.is, 'pending', 'less than nothing was left');
  network.other.say({kind: 'CREDIT', id: 1, own: false, value: 1_000});
  await settle();
  assert.equal(last.is, 'done');
});

test('the credit of the session holds for all streams together', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect();
  const streams = await Promise.all(Array.from({length: 20}, () => peer.open('/s')));
  const sends = streams.map((stream) => watch(stream.send('x'.repeat(60_000))));
  await settle();
  assert.equal(sends.filter(({is}) => is === 'done').length, 17, '1 MiB of 60018 each');
  network.other.say({kind: 'CREDIT', id: 0, value: 200_000});
  await settle();
  assert.equal(sends.filter(({is}) => is === 'done').length, 20);
});

test('of a stream that is given up, messages that did not leave give their credit back', async () => {
  const network = new FakeNetwork();
  network.takes = {maxFrame: 1 << 20, maxMessage: 16 << 20, streamCredit: 2 << 20};
  const peer = await network.connect({maxBuffered: 1});
  await settle();
  for (let i = 0; i < 10; ++i) {
    const stream = await peer.open('/s');
    await settle();
    network.last.isStuck = true;
    // One that has begun to leave in parts, and one whose end waits behind it.
    await stream.send('x'.repeat(300_000));
    await settle();
    await stream.finish();
    assert.doesNotThrow(() => stream.cancel());
    network.last.isStuck = false;
    network.last.take();
    await network.clock.advance(100);
  }
  assert.equal(network.other.of('DATA').length, 0, 'none was whole');
  assert.equal(network.other.of('CANCEL').length, 10);
  const stream = await peer.open('/s');
  // 10083 each: 104 of them would be 56 bytes more than the session's 1 MiB.
  const sends = Array.from({length: 120}, () => watch(stream.send('x'.repeat(10_065))));
  await network.clock.advance(1_000);
  assert.equal(sends.filter(({is}) => is === 'done').length, 103, 'as on a new connection');
});

test('what is read is given back, of a stream that is given up too', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({takes: {sessionCredit: 1 << 20}});
  const stream = await peer.open('/s');
  const data = {kind: 'DATA', id: 1, own: false, body: bytesOf(JSON.stringify('x'.repeat(60_000)))};
  for (let i = 0; i < 4; ++i) network.other.say(data);
  await settle();
  assert.equal(network.other.of('CREDIT').length, 0, 'nothing was read');
  await stream.receive();
  await stream.receive();
  await settle();
  assert.deepEqual(network.other.of('CREDIT').map((m) => [m.id, m.own, m.value]),
    [[1, true, 120_036]]);
  stream.cancel();
  await settle();
  assert.equal(network.other.of('CANCEL').length, 1);
  for (let i = 0; i < 2; ++i) network.other.say(data);
  await settle();
  const returned = network.other.of('CREDIT').filter((m) => m.id === 0);
  assert.deepEqual(returned.map((m) => m.value), [5 * 60_018]);
});

test('who sends beyond its credit is cut off', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({reconnect: false});
  const stream = await peer.open('/s');
  const data = {kind: 'DATA', id: 1, own: false, body: bytesOf(JSON.stringify('x'.repeat(60_000)))};
  for (let i = 0; i < 6; ++i) network.other.say(data);
  await settle();
  assert.equal(peer.state, 'closed');
  assert.equal(network.other.of('GO_AWAY')[0].status.code, Code.invalid_argument);
  for (let i = 0; i < 4; ++i) assert.equal((await stream.receive()).value.length, 60_000);
  await assert.rejects(stream.receive(), {name: 'outcome_unknown'});
});

test('messages that wait on a stream, and streams, have a limit', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({maxWaiting: 2, maxHandlers: 1_000, takes: {maxStreams: 100},
    streams: {'/forever': () => new Promise(() => {})}});
  const stream = await peer.open('/s');
  const sends = [1, 2, 3].map((i) => watch(stream.send(i)));
  await settle();
  assert.deepEqual(sends.map(({is}) => is), ['done', 'done', 'resource_exhausted']);
  for (let i = 1; i < 100; ++i) await peer.open('/s');
  await assert.rejects(peer.open('/s'), {name: 'resource_exhausted'});
  for (let id = 1; id <= 101; ++id) network.other.say({kind: 'OPEN', id, method: '/forever'});
  await settle();
  assert.deepEqual(network.other.of('END').map((m) => [m.id, m.status.code]), [[101, 8]]);
});

test('a served stream ends with its handler, its caller\'s patience or its deadline', async () => {
  const network = new FakeNetwork();
  const ends = [];
  await network.connect({streams: {'/s': async (stream, {replyMetadata, signal}) => {
    replyMetadata.push(['a', 'b']);
    try {
      for await (const text of stream) await stream.send(text);
    } catch (error) {
      ends.push([error.name, signal.aborted]);
      throw error;
    }
  }}});
  for (const id of [1, 2]) network.other.say({kind: 'OPEN', id, method: '/s'});
  network.other.say({kind: 'OPEN', id: 3, method: '/s', deadline: 50_000});
  network.other.say({kind: 'DATA', id: 1, own: true, body: bytesOf('"x"')});
  network.other.say({kind: 'END', id: 1, own: true});
  network.other.say({kind: 'CANCEL', id: 2});
  await network.clock.advance(50);
  assert.deepEqual(ends, [['cancelled', true], ['deadline_exceeded', true]]);
  assert.deepEqual(network.other.of('DATA').map((m) => [m.id, textOf(m.body)]), [[1, '"x"']]);
  const told = new Map(network.other.of('END').map((m) => [m.id, [m.status?.code, m.metadata]]));
  assert.deepEqual([1, 2, 3].map((id) => told.get(id)[0]), [undefined, 1, 4]);
  assert.deepEqual(told.get(1)[1], [['a', 'b']]);
});

test('an answer or an end with too much metadata is told as an error', async () => {
  const network = new FakeNetwork();
  const handler = (_, {replyMetadata}) => void replyMetadata.push(['big', 'x'.repeat(70_000)]);
  await network.connect({methods: {'/m': handler}, streams: {'/s': handler}});
  network.other.say({kind: 'CALL', id: 1, method: '/m', codec: 0});
  network.other.say({kind: 'OPEN', id: 2, method: '/s'});
  await settle();
  assert.deepEqual(network.other.got.map((m) => [m.kind, m.id, m.status.code]).sort(),
    [['END', 2, 8], ['REPLY', 1, 8]]);
});

// --- A hostile side, and wrong use

const mistakes = {
  'bytes that are no frame': (socket) => socket.bring(Uint8Array.of(0, 0)),
  'text': (socket) => socket.bring('hello'),
  'a log-in': ({other}) => other.say({kind: 'CALL', id: 1, method: '/a', auth: true}),
  'a number in use': ({other}) => [1, 2].forEach(() =>
    other.say({kind: 'CALL', id: 7, method: '/slow', codec: 0})),
  'a stream whose number is in use': ({other}) => [1, 2].forEach(() =>
    other.say({kind: 'OPEN', id: 7, method: '/slow'})),
  'more credit than can be meant': ({other}) =>
    other.say({kind: 'CREDIT', id: 0, value: 2n ** 63n}),
};
for (const [what, make] of Object.entries(mistakes)) {
  test(`${what}: the connection is cut, and the other side told why`, async () => {
    const network = new FakeNetwork();
    const slow = () => new Promise(() => {});
    const peer = await network.connect(
      {reconnect: false, methods: {'/slow': slow}, streams: {'/slow': slow}});
    const call = watch(peer.call('/a', 1));
    await settle();
    make(network.last);
    await settle();
    assert.deepEqual([peer.state, call.is], ['closed', 'outcome_unknown']);
    assert.equal(network.other.of('GO_AWAY').length, 1);
  });
}

test('who asks and takes no answers is cut', async () => {
  const network = new FakeNetwork();
  const peer = await network.connect({maxOutgoingBytes: 1_000, reconnect: false});
  await settle();
  network.last.isStuck = true;
  for (let i = 0; i < 1_000 && peer.state === 'open'; ++i) {
    network.other.say({kind: 'PING', value: new Uint8Array(8)});
  }
  await settle();
  assert.equal((await peer.closed).name, 'resource_exhausted');
});

test('wrong use is explained', async () => {
  const network = new FakeNetwork();
  const {WebSocket} = network;
  await assert.rejects(connect('ws://a', {WebSocket: 5}),
    {name: 'failed_precondition'});
  for (const options of [{callTimeoutMs: -1}, {maxCalls: NaN}, {partBytes: 100},
    {reconnect: {jitter: 2}}, {reconnect: {intervalMs: 0}}, {takes: {maxFrame: 1}},
    {methods: {'/a': 5}}, {codec: 'morse'}]) {
    await assert.rejects(connect('ws://a', {WebSocket, ...options}), {name: 'invalid_argument'},
      JSON.stringify(options));
  }
  const peer = await network.connect();
  await assert.rejects(peer.call('/a', 1, {timeoutMs: -5}), {name: 'not_sent'});
  await assert.rejects(peer.call('/a', () => {}), {name: 'invalid_argument'});
  const error = new ParleyError('not_found', 'no', {cause: 'why'});
  assert.equal(String(error), 'not_found: no (cause: why)');
});

test('close waits for what is under way, at most so long', async () => {
  for (const isAnswered of [true, false]) {
    const network = new FakeNetwork();
    const peer = await network.connect();
    const call = watch(peer.call('/a', 1));
    await settle();
    const closing = watch(peer.close({drainTimeoutMs: 1_000}));
    await settle();
    assert.deepEqual(network.other.got.map((m) => m.kind), ['CALL', 'GO_AWAY', 'PING']);
    await network.clock.advance(900);
    if (isAnswered) {
      reply(network.other, 1, 'late');
      network.other.say({kind: 'PONG', value: network.other.of('PING')[0].value});
    }
    await settle();
    assert.equal(closing.is, isAnswered ? 'done' : 'pending');
    await network.clock.advance(100);
    assert.deepEqual([closing.is, call.is], ['done', isAnswered ? 'done' : 'outcome_unknown']);
    assert.equal((await peer.closed).name, 'cancelled');
  }
});
