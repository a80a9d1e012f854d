// A Parley peer over WebSocket, for browsers and node, without dependencies.
//
//   const peer = await connect('wss://example.org/parley', {
//     methods: {'/client/confirm': (order, {metadata}) => ask(order)},
//   });
//   const sum = await peer.call('/math/add', [1, 2], {timeoutMs: 500});
//   await peer.push('/shop/seen', 'tea');
//
// What a method is called with is its argument, or a list of several; nothing (undefined) is none.
// A connection that is cut is dialled again (`reconnect`); parley.d.ts has all options and limits.
import {Bodies} from './body.js';
import {Connection} from './connection.js';
import {Code, ParleyError} from './error.js';

export {Code, ParleyError} from './error.js';
export {ParleyStream} from './stream.js';

const realClock = {
  now: () => performance.now(),
  setTimeout: (ring, ms) => setTimeout(ring, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

const defaultReconnect = {
  count: Infinity,
  intervalMs: 100,
  maxIntervalMs: 10_000,
  jitter: 0.5,
  afterGoAway: false,
};

const defaults = {
  protocols: undefined,
  callTimeoutMs: 30_000,
  connectTimeoutMs: 10_000,
  drainTimeoutMs: 5_000,
  closeTimeoutMs: 2_000,
  pingIntervalMs: 20_000,
  pingTimeoutMs: 10_000,
  maxCalls: 10_000,
  maxHandlers: 1_024,
  maxWaiting: 1_024,
  maxOutgoingBytes: 4 << 20,
  maxBuffered: 256 << 10,
  maxUnfinishedBytes: 64 << 20,
  partBytes: 64 << 10,
  pollMs: 20,
  codec: 'json',
  codecs: {},
  bigInts: true,
  methods: {},
  streams: {},
  onState: () => {},
  onReport: () => {},
  onConnect: null,
  clock: realClock,
  random: Math.random,
};
const defaultTakes = {
  maxFrame: 1 << 20,
  maxMessage: 16 << 20,
  maxStreams: 1_000,
  streamCredit: 256 << 10,
  sessionCredit: 4 << 20,
  maxNames: 1_024,
};
const leastPart = 16_384;

function checked(options) {
  const all = {...defaults, ...options};
  all.takes = {...defaultTakes, ...options.takes};
  all.WebSocket ??= globalThis.WebSocket;
  all.page = options.page ?? (typeof document === 'undefined' ? null : globalThis.window);
  all.reconnect = options.reconnect === false ? null : {...defaultReconnect, ...options.reconnect};
  if (typeof all.WebSocket !== 'function') {
    throw new ParleyError('failed_precondition', 'there is no WebSocket here: give one in the ' +
      'option WebSocket, such as that of the package ws');
  }
  const wrong = (name, what) => {
    throw new ParleyError('invalid_argument', `${name}: ${what}`);
  };
  for (const [name, value] of Object.entries(all)) {
    const isLimit = /Ms$|^max|Bytes$/.test(name);
    if (isLimit && !(value >= 0)) wrong(name, `${value} is no number from 0 on`);
  }
  if (all.partBytes < leastPart) wrong('partBytes', `at least ${leastPart}`);
  if (all.reconnect) {
    const {intervalMs, maxIntervalMs, jitter} = all.reconnect;
    if (!(intervalMs >= 1)) wrong('reconnect.intervalMs', 'at least 1');
    if (!(maxIntervalMs >= intervalMs)) wrong('reconnect.maxIntervalMs', 'at least intervalMs');
    if (!(jitter >= 0 && jitter <= 1)) wrong('reconnect.jitter', 'between 0 and 1');
  }
  return all;
}

// Why something ended, for the error of another thing.
const wholeStory = (why) =>
  [why?.message ?? why, why instanceof ParleyError ? why.cause : ''].filter(Boolean).join(': ');

// Resolves when the other side has answered; the first dial is not repeated.
export function connect(url, options = {}) {
  return Peer.connect(url, options);
}

export class Peer {
  #url;
  #options;
  #bodies;
  #methods = new Map();
  #streamMethods = new Map();
  #connection = null;      // the one that takes calls
  #connections = new Set();  // all that have not ended
  #waiting = new Set();    // for a connection
  #timer = null;           // of the next attempt
  #isDialling = false;
  #attempts = 0;           // in this outage
  #pause = 0;              // the last, before chance made it shorter
  #upSince = 0;
  #isSuspended = false;    // the page is away
  #reason = null;          // why the last connection ended
  #end = null;             // why there will be no other
  #state = 'connecting';
  #tellClosed;
  #listeners = [];
  // Resolves with the reason when there will be no further connection.
  closed = new Promise((resolve) => {
    this.#tellClosed = resolve;
  });

  static async connect(url, options = {}) {
    const peer = new Peer(url, checked(options));
    try {
      peer.#takeUp(await peer.#dial());
    } catch (error) {
      peer.#finish(error);
      throw error;
    }
    peer.#watchPage();
    return peer;
  }

  // Use connect().
  constructor(url, options) {
    this.#url = url;
    this.#options = options;
    this.#bodies = new Bodies(options.codecs, options.bigInts);
    this.#options.codec = Bodies.idOf(options.codec);
    for (const [name, handler] of Object.entries(options.methods)) this.handle(name, handler);
    for (const [name, handler] of Object.entries(options.streams)) this.handleStream(name, handler);
  }

  // connecting, open, waiting (for the next attempt) or closed.
  get state() {
    return this.#state;
  }

  // Serves CALLs and PUSHes of the other side: handler(argument, context) returns the result, or a
  // promise; what it throws is the caller's error. Null: no longer.
  handle(name, handler) {
    this.#keep(this.#methods, name, handler);
  }
  // The same with a stream: handler(stream, context). It ends with the handler; an async generator
  // sends what it yields.
  handleStream(name, handler) {
    this.#keep(this.#streamMethods, name, handler);
  }
  #keep(map, name, handler) {
    if (handler === null) return void map.delete(name);
    if (typeof handler !== 'function') {
      throw new ParleyError('invalid_argument', `the handler of ${name} is no function`);
    }
    map.set(name, handler);
  }

  // Calls `method` and waits for its result. Options: timeoutMs, signal, metadata, codec,
  // replyMetadata (a list that is filled).
  async call(method, argument, options = {}) {
    const terms = this.#terms(options);
    return this.#carry(terms, (connection) => this.#callOn(connection, method, argument, terms));
  }

  // Sends `method`; nobody answers. Resolves when it is on its way, and waits while more than
  // maxOutgoingBytes are.
  async push(method, argument, options = {}) {
    const terms = this.#terms(options);
    return this.#carry(terms, (connection) => connection.push(method, argument, terms));
  }

  // Opens a stream. `timeoutMs` and `signal` are of the stream as a whole.
  async open(method, options = {}) {
    const terms = this.#streamTerms(options);
    return this.#carry({...terms, until: terms.sentBy},
      (connection) => connection.open(method, terms));
  }

  // In order: the other side is told, what is under way is waited for, at most drainTimeoutMs.
  async close({drainTimeoutMs = this.#options.drainTimeoutMs} = {}) {
    this.#finish(new ParleyError('cancelled', 'the peer was closed'));
    await Promise.all([...this.#connections].map((each) => each.close(drainTimeoutMs)));
  }

  async #callOn(connection, method, argument, terms) {
    try {
      const {result, metadata} = await connection.call(method, argument, terms);
      terms.replyMetadata?.push(...metadata);
      return result;
    } catch (error) {
      terms.replyMetadata?.push(...error.metadata ?? []);
      throw error;
    }
  }

  #terms({timeoutMs = this.#options.callTimeoutMs, signal, metadata, codec, replyMetadata}) {
    if (!(timeoutMs > 0)) {
      throw new ParleyError('not_sent', `a timeout of ${timeoutMs} ms leaves no time to call`);
    }
    return {
      until: this.#options.clock.now() + timeoutMs, signal, metadata, replyMetadata,
      codec: Bodies.idOf(codec ?? this.#options.codec),
    };
  }
  #streamTerms(options) {
    const terms = this.#terms({...options, timeoutMs: options.timeoutMs ?? Infinity});
    const sentBy = Math.min(terms.until, this.#options.clock.now() + this.#options.callTimeoutMs);
    return {...terms, sentBy};
  }

  // Does it on a connection; on the next one where it was not sent because that one has ended.
  async #carry(terms, attempt) {
    for (;;) {
      const connection = this.#connection ?? await this.#nextConnection(terms);
      try {
        return await attempt(connection);
      } catch (error) {
        const mayGoOn = error.code === Code.not_sent && !connection.isOpen && this.#end === null;
        // Never the same one again: that would go round for ever.
        if (!mayGoOn || connection === this.#connection) throw error;
      }
    }
  }

  #nextConnection({until, signal}) {
    return new Promise((resolve, reject) => {
      const {clock, maxCalls} = this.#options;
      const refuse = (cause) => reject(new ParleyError('not_sent',
        'there is no connection', {cause: wholeStory(cause)}));
      if (this.#end !== null) return refuse(this.#end);
      if (signal?.aborted) return refuse(signal.reason);
      if (this.#waiting.size >= maxCalls) {
        return reject(new ParleyError('resource_exhausted',
          `maxCalls: ${maxCalls} calls wait for a connection`));
      }
      const left = Math.min(until - clock.now(), 2 ** 31 - 1);
      const end = (then) => (value) => {
        this.#waiting.delete(waiter);
        clock.clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        then(value);
      };
      const waiter = {resolve: end(resolve), refuse: end(refuse)};
      const abort = () => waiter.refuse(signal.reason);
      const timer = clock.setTimeout(() => waiter.refuse(this.#reason), Math.max(0, left));
      signal?.addEventListener('abort', abort);
      this.#waiting.add(waiter);
    });
  }

  // --- Connections

  async #dial() {
    const {WebSocket, protocols, connectTimeoutMs, clock} = this.#options;
    let socket;
    try {
      socket = protocols === undefined ? new WebSocket(this.#url)
        : new WebSocket(this.#url, protocols);
    } catch (error) {
      throw new ParleyError('invalid_argument', `${this.#url} cannot be dialled`,
        {cause: error.message});
    }
    const connection = new Connection(socket, this.#owner());
    this.#connections.add(connection);
    const timer = clock.setTimeout(() => connection.cut(new ParleyError('not_sent',
      `connectTimeoutMs: ${this.#url} said nothing in ${connectTimeoutMs} ms`)), connectTimeoutMs);
    try {
      await connection.ready();
    } finally {
      clock.clearTimeout(timer);
    }
    await this.#introduce(connection);
    // Hello and goodbye may have come in one message.
    if (!connection.isOpen) throw connection.reason;
    return connection;
  }

  // The program logs in, before anybody else may call.
  async #introduce(connection) {
    const {onConnect} = this.#options;
    if (onConnect === null) return;
    const session = {
      call: async (method, argument, options = {}) =>
        this.#callOn(connection, method, argument, this.#terms(options)),
      push: async (method, argument, options = {}) =>
        connection.push(method, argument, this.#terms(options)),
      open: async (method, options = {}) => connection.open(method, this.#streamTerms(options)),
    };
    try {
      await onConnect(session, this);
    } catch (error) {
      connection.cut(new ParleyError('cancelled', 'onConnect refused the connection'));
      throw error;
    }
  }

  #owner() {
    return {
      options: this.#options,
      bodies: this.#bodies,
      url: this.#url,
      peer: this,
      findHandler: (name) => this.#methods.get(name),
      findStreamHandler: (name) => this.#streamMethods.get(name),
      report: (line) => this.#tell(() => this.#options.onReport(line)),
      onLeaving: (connection, how) => this.#leaves(connection, how),
      onEnd: (connection, why) => this.#lost(connection, why),
    };
  }

  // What the program is told must not break what tells it.
  #tell(call) {
    try {
      call();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #enter(state, detail = {}) {
    this.#state = state;
    this.#tell(() => this.#options.onState(state, detail));
  }

  #takeUp(connection) {
    this.#connection = connection;
    this.#upSince = this.#options.clock.now();
    this.#enter('open');
    for (const waiter of [...this.#waiting]) waiter.resolve(connection);
  }

  // The other side goes: new calls go on the next connection, what is under way ends on this one.
  #leaves(connection, {reason, isSentAway}) {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#reason = reason;
    const {reconnect} = this.#options;
    if (reconnect === null || (isSentAway && !reconnect.afterGoAway)) return this.#finish(reason);
    this.#plan(true);
  }

  #lost(connection, why) {
    this.#connections.delete(connection);
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#reason = why;
    if (this.#options.reconnect === null) return this.#finish(why);
    this.#plan(false);
  }

  // The next attempt, and when. `isAtOnce`: if the last connection has stood for a while.
  #plan(isAtOnce) {
    if (this.#end !== null || this.#isDialling || this.#timer !== null) return;
    const {reconnect, clock, random} = this.#options;
    const stood = this.#upSince === 0 ? 0 : clock.now() - this.#upSince;
    this.#upSince = 0;
    if (stood >= reconnect.maxIntervalMs) this.#attempts = this.#pause = 0;
    if (this.#attempts >= reconnect.count) return this.#finish(this.#reason);
    this.#pause = this.#pause === 0 ? reconnect.intervalMs
      : Math.min(2 * this.#pause, reconnect.maxIntervalMs);
    const waitMs = isAtOnce && stood >= reconnect.intervalMs ? 0
      : this.#pause * (1 - reconnect.jitter * random());
    if (this.#isSuspended) return;
    this.#timer = clock.setTimeout(() => {
      this.#timer = null;
      this.#attempt();
    }, waitMs);
    this.#enter('waiting', {reason: this.#reason, attempt: this.#attempts + 1, waitMs});
  }

  async #attempt() {
    this.#isDialling = true;
    ++this.#attempts;
    this.#enter('connecting', {attempt: this.#attempts});
    let connection = null;
    try {
      connection = await this.#dial();
    } catch (error) {
      this.#reason = error;
    }
    this.#isDialling = false;
    if (connection !== null && this.#end === null && connection.isOpen) {
      return this.#takeUp(connection);
    }
    connection?.cut(new ParleyError('cancelled', 'the peer was closed'));
    this.#plan(false);
  }

  // There will be no further connection. Those there are end what is under way.
  #finish(why) {
    if (this.#end !== null) return;
    this.#end = why;
    this.#connection = null;
    this.#options.clock.clearTimeout(this.#timer);
    for (const [target, name, listener] of this.#listeners) {
      target.removeEventListener(name, listener);
    }
    for (const waiter of [...this.#waiting]) waiter.refuse(why);
    this.#enter('closed', {reason: why});
    this.#tellClosed(why);
  }

  // --- The page

  #watchPage() {
    const {page} = this.#options;
    if (!page || this.#end !== null) return;
    const listen = (target, name, listener) => {
      target?.addEventListener?.(name, listener);
      this.#listeners.push([target, name, listener]);
    };
    listen(page, 'pagehide', () => this.#suspend());
    listen(page, 'pageshow', () => this.#resume());
    listen(page, 'online', () => this.#hurry());
    listen(page, 'offline', () => this.#connection?.check());
    if (!page.document?.addEventListener) return;
    listen(page.document, 'visibilitychange', () => {
      if (page.document.visibilityState === 'visible') this.#hurry();
    });
  }

  // A page that goes away ends its calls now, while it can still be told.
  #suspend() {
    this.#isSuspended = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
    const why = new ParleyError('unavailable', 'the page went away');
    for (const connection of [...this.#connections]) connection.cut(why);
  }

  // It is back: out of the browser's memory.
  #resume() {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    if (this.#end === null && this.#connection === null && !this.#isDialling) this.#attempt();
  }

  // The network may be there again: nobody waits any longer than needed.
  #hurry() {
    this.#connection?.check();
    if (this.#timer === null) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#attempt();
  }
}
