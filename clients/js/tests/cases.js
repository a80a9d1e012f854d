// What a client and a real Parley do with each other, wherever this runs: in node and in a browser.
// A case is given {connect, url, cut}: `connect(options)` dials the service (service.cc) at
// `url`, or whom it is told, `cut()` ends all its connections without a word.

function show(value) {
  return JSON.stringify(value) ?? String(value);
}
export function equal(is, expected, what = '') {
  if (show(is) !== show(expected)) {
    throw new Error(`${what} is ${show(is)}, expected ${show(expected)}`);
  }
}
export async function fails(promise, expected) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    for (const [key, each] of Object.entries(expected)) {
      equal(error[key], each, `${key} of ${error}`);
    }
    return error;
  }
  throw new Error(`it went well (${show(value)}), expected ${show(expected)}`);
}
// Asks until the answer is as it should be; the test's own time bounds it.
async function until(ask, isRight) {
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
  }
}
// A promise and what resolves it.
function later() {
  const made = {};
  made.promise = new Promise((resolve) => Object.assign(made, {resolve}));
  return made;
}
const typeof_ = (value) => typeof value;
async function all(stream) {
  const values = [];
  for await (const value of stream) values.push(value);
  return values;
}

export const cases = {
  async 'calls carry arguments and results'({peer}) {
    equal(await peer.call('/math/add', [1, 2]), 3);
    equal(await peer.call('/order/twice', {sku: 'tea', quantity: 4}), {sku: 'tea', quantity: 8});
    equal(await peer.call('/nothing'), undefined);
    const sums = await Promise.all(
      Array.from({length: 1_000}, (_, i) => peer.call('/math/add', [i, i])));
    equal(sums.every((sum, i) => sum === 2 * i), true);
  },

  async 'integers of 64 bits keep their value'({peer, connect}) {
    const large = [9007199254740993n, -9223372036854775808n, 18446744073709551615n];
    const [before, after] = ['"9007199254740993 \\\ue000\\"', 'für'];
    const numbers = await peer.call('/numbers', {before, least: large[1], most: large[2],
      all: [large[0], 1, -1n, 2 ** 53 - 1], after});
    equal(numbers.least === large[1] && numbers.most === large[2], true);
    equal(numbers.all.map(typeof_), ['bigint', 'number', 'number', 'number']);
    equal(numbers.all.map(String), ['9007199254740993', '1', '-1', '9007199254740991']);
    equal([numbers.before, numbers.after], [before, after]);
    const rounding = await connect({bigInts: false});
    equal(await rounding.call('/number', large[0]), 9007199254740992);
    equal(await peer.call('/number', large[0]) === large[0], true);
    await rounding.close();
  },

  async 'who cannot be reached has been sent nothing'({connect, url}) {
    const nobody = url.replace(/:\d+.*/, ':9/nobody');
    const {message, cause} = await fails(connect({}, nobody), {name: 'not_sent'});
    equal(message.includes(nobody), true, message);
    equal(cause.startsWith('WebSocket 1006'), true, cause);
    // A page is told no more than that.
    if (typeof process !== 'undefined') equal(cause.includes('ECONNREFUSED'), true, cause);
  },

  async 'large arguments and results travel in parts, small ones between them'({peer}) {
    const large = peer.call('/text/size', 'x'.repeat(3_000_000));
    const small = await Promise.all([1, 2, 3].map((i) => peer.call('/math/add', [i, 1])));
    equal(small, [2, 3, 4]);
    equal(await large, 3_000_000);
    equal((await peer.call('/text/repeat', ['für', 500_000])).length, 1_500_000);
  },

  async 'errors arrive with code, name, message and the number of the service'({peer}) {
    await fails(peer.call('/order/refuse'), {
      code: 9, name: 'failed_precondition', businessCode: 1001, message: 'out of tea',
      isRemote: true});
    await fails(peer.call('/order/fail'), {name: 'internal', isRemote: true});
    await fails(peer.call('/nowhere'), {code: 5, name: 'not_found'});
    await fails(peer.call('/math/add', ['one', 2]), {name: 'invalid_argument'});
    await fails(peer.call('/math/add', () => 1), {name: 'invalid_argument', isRemote: false});
    await fails(peer.call('/math/add', [1, 2], {timeoutMs: 0}), {name: 'not_sent'});
  },

  async 'metadata travels both ways'({peer}) {
    const replyMetadata = [];
    const metadata = [['a', '1'], ['a', '2'], ['b', 'ü']];
    const list = await peer.call('/meta/list', undefined, {metadata, replyMetadata});
    equal(list, ['a=1', 'a=2', 'b=ü']);
    equal(replyMetadata, [['served-by', 'service']]);
  },

  async 'pushes go both ways, in their order'({connect}) {
    const notes = [];
    const enough = later();
    const peer = await connect({methods: {'/client/note': (text, {isPush}) => {
      notes.push([text, isPush]);
      if (notes.length === 3) enough.resolve();
    }}});
    await peer.push('/note', 'one');
    await peer.push('/note', 'two');
    await peer.call('/note', 'three');
    await enough.promise;
    equal(notes.sort(), [['one!', true], ['three?', true], ['two!', true]]);
    await peer.close();
  },

  async 'the service calls the client'({connect}) {
    const peer = await connect({methods: {
      '/client/double': async (number, {metadata, method}) => {
        equal([metadata, method], [[], '/client/double']);
        if (number === 13) throw Object.assign(new Error('unlucky'), {});
        return number * 2;
      },
      '/client/size': (text) => text.length,
    }});
    equal(await peer.call('/ask', 21), 42);
    await fails(peer.call('/ask', 13), {name: 'internal'});
    await fails(peer.call('/ask/nobody'), {name: 'not_found'});
    equal(await peer.call('/ask/large', 1_000_000), 1_000_000);
    await peer.close();
  },

  async 'a call ends at its deadline, and the service hears of it'({peer}) {
    const left = await peer.call('/left-ms', undefined, {timeoutMs: 5_000});
    equal(left > 1_000 && left <= 5_000, true, `${left} ms`);
    const before = await peer.call('/given-up');
    await fails(peer.call('/wait', undefined, {timeoutMs: 30}), {name: 'deadline_exceeded'});
    await until(() => peer.call('/given-up'), (count) => count === before + 1);
  },

  async 'a call that is given up is given up over there'({peer}) {
    const before = await peer.call('/given-up');
    const control = new AbortController();
    const waiting = peer.call('/wait', undefined, {signal: control.signal});
    await peer.call('/nothing');
    control.abort(new Error('no time'));
    await fails(waiting, {name: 'cancelled', cause: 'no time'});
    await until(() => peer.call('/given-up'), (count) => count === before + 1);
    await fails(peer.call('/nothing', undefined, {signal: control.signal}), {name: 'cancelled'});
  },

  async 'a handler of the client is told when its caller gives up'({connect}) {
    const told = later();
    const wait = (_, {signal}) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        told.resolve(signal.reason.name);
        reject(signal.reason);
      });
    });
    const peer = await connect({methods: {'/client/wait': wait}});
    const error = await fails(peer.call('/ask/impatient'), {});
    equal(['deadline_exceeded', 'cancelled'].includes(error.name), true, error.name);
    const name = await told.promise;
    equal(['deadline_exceeded', 'cancelled'].includes(name), true, name);
    await peer.close();
  },

  async 'a stream carries messages both ways'({peer}) {
    const echo = await peer.open('/echo');
    await echo.send('a');
    equal(await echo.receive(), {value: '<a>', done: false});
    await echo.sendAll(['b', 'c']);
    equal(await all(echo), ['<b>', '<c>']);
    await fails(echo.send('d'), {name: 'cancelled'});
    const sum = await peer.open('/sum');
    await sum.sendAll(Array.from({length: 20_000}, (_, i) => i));
    equal(await all(sum), [199_990_000], 'what costs more credit than there is at once');
  },

  async 'large messages of a stream keep their order'({peer}) {
    const echo = await peer.open('/echo');
    const sizes = [200_000, 1, 150_000, 2, 3];
    const sending = Promise.all(sizes.map((size) => echo.send('x'.repeat(size))));
    const got = [];
    for (let i = 0; i < sizes.length; ++i) got.push((await echo.receive()).value.length - 2);
    equal(got, sizes);
    await sending;
    await echo.finish();
    equal(await all(echo), []);
  },

  async 'a stream ends with the error of its handler'({peer}) {
    const refused = await peer.open('/refuse');
    equal(await refused.receive(), {value: 1, done: false});
    await fails(refused.receive(), {businessCode: 1002, message: 'no more'});
    await fails((await peer.open('/nowhere')).receive(), {name: 'not_found'});
  },

  async 'a reader that stops holds up its writer and nobody else'({peer}) {
    const before = await peer.call('/given-up');
    const flood = await peer.open('/flood');
    equal((await flood.receive()).value.length, 10_000);
    equal(await peer.call('/math/add', [1, 1]), 2);
    for (let i = 0; i < 1_000; ++i) await flood.receive();
    flood.cancel();
    await fails(flood.receive(), {name: 'cancelled'});
    await until(() => peer.call('/given-up'), (count) => count === before + 1);
    // What it left unread is the session's again.
    for (let i = 0; i < 40; ++i) {
      const next = await peer.open('/flood');
      for (let j = 0; j < 20; ++j) await next.receive();
      next.cancel();
    }
  },

  async 'leaving a loop gives the stream up'({peer}) {
    const before = await peer.call('/given-up');
    for await (const text of await peer.open('/flood')) {
      equal(text.length, 10_000);
      break;
    }
    await until(() => peer.call('/given-up'), (count) => count === before + 1);
  },

  async 'a stream ends when its time is over'({peer}) {
    const echo = await peer.open('/echo', {timeoutMs: 30});
    await fails(echo.receive(), {name: 'deadline_exceeded'});
  },

  async 'the service opens a stream to the client'({connect}) {
    const peer = await connect({streams: {
      '/client/sum': async (stream) => {
        let sum = 0;
        for await (const number of stream) sum += number;
        await stream.send(sum);
      },
    }});
    equal(await peer.call('/ask/sum', 10_000), 50_005_000);
    peer.handleStream('/client/sum', async function* sum(stream) {
      let count = 0;
      for await (const number of stream) count += number > 0 ? 1 : 0;
      yield count;
    });
    equal(await peer.call('/ask/sum', 3), 3);
    peer.handleStream('/client/sum', null);
    await fails(peer.call('/ask/sum', 3), {name: 'not_found'});
    await peer.close();
  },

  async 'calls end when the connection is cut, and it is dialled again'({connect, cut}) {
    const states = [];
    const peer = await connect({onState: (state) => states.push(state)});
    const waiting = peer.call('/wait');
    const stream = await peer.open('/echo');
    await stream.send('a');
    await stream.receive();
    const isOver = fails(stream.receive(), {name: 'outcome_unknown'});
    await peer.call('/nothing');
    await cut();
    await fails(waiting, {name: 'outcome_unknown'});
    await isOver;
    equal(await peer.call('/math/add', [2, 2]), 4);
    equal(states.slice(0, 2), ['open', 'waiting']);
    equal(states.at(-1), 'open');
    await peer.close();
    equal(peer.state, 'closed');
  },

  async 'without reconnecting a peer that is cut is closed'({connect, cut}) {
    const peer = await connect({reconnect: false});
    await cut();
    equal((await peer.closed).name, 'unavailable');
    await fails(peer.call('/nothing'), {name: 'not_sent'});
  },

  async 'a service that goes away is asked no more, and dialled again'({connect}) {
    const states = [];
    const peer = await connect({
      onState: (state, {reason}) => states.push([state, reason?.message ?? ''])});
    const isOver = fails(peer.call('/wait', undefined, {timeoutMs: 20_000}), {});
    const error = await fails(peer.call('/leave', undefined, {timeoutMs: 20_000}), {});
    equal(error.name, 'outcome_unknown');
    // On the next connection, while the first one is there.
    equal(await peer.call('/math/add', [3, 3]), 6);
    equal(states, [['open', ''], ['waiting', 'the other side closed the session'],
      ['connecting', ''], ['open', '']]);
    await isOver;
    await peer.close();
  },

  async 'who closes lets what is under way end'({connect}) {
    const peer = await connect({});
    const large = peer.call('/text/repeat', ['x', 200_000]);
    const late = peer.call('/math/add', [4, 4]);
    const closing = peer.close();
    equal([(await large).length, await late], [200_000, 8]);
    await closing;
    await fails(peer.call('/nothing'), {name: 'not_sent'});
  },

  async 'a program logs in before anybody else may call'({connect, cut}) {
    const order = [];
    const isCut = later();
    const onConnect = async (session) => {
      order.push('log-in');
      equal(await session.call('/math/add', [1, 1]), 2);
    };
    const peer = await connect({onConnect, onState: (state) => {
      if (state === 'waiting') isCut.resolve();
    }});
    await cut();
    await isCut.promise;
    const sum = await peer.call('/math/add', [5, 5]);
    equal([order, sum], [['log-in', 'log-in'], 10]);
    await peer.close();
  },
};

// Runs one; what it leaves open is closed.
export async function runCase(run, {connect, cut, url}) {
  const peers = [];
  const connectAndKeep = async (options, to = url) => {
    peers.push(await connect(options, to));
    return peers.at(-1);
  };
  try {
    await run({connect: connectAndKeep, cut, url, peer: await connectAndKeep({})});
  } finally {
    await Promise.all(peers.map((peer) => peer.close({drainTimeoutMs: 1_000})));
  }
}
