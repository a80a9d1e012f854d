// Connection: one WebSocket that carries the parley framing, from its hello to its end. The peer
// (parley.js) has one after the other.
import {pairsOf} from './body.js';
import {Code, ParleyError, asStatus} from './error.js';
import {Decoder, Encoder} from './framing.js';
import {Outbox} from './outbox.js';
import {Serving} from './serving.js';
import {ParleyStream, Streams, toldError} from './stream.js';

const longestId = 2 ** 31 - 1;
// Goes behind GO_AWAY, and comes back when the other side has read that.
const farewell = Uint8Array.from([0x70, 0x61, 0x72, 0x6c, 0x65, 0x79, 0x21, 0x0a]);
const isFarewell = (value) => farewell.every((byte, i) => byte === value[i]);

const notSent = (reason, what = 'the session has ended') =>
  new ParleyError('not_sent', what, {cause: reason?.message ?? ''});

export class Connection {
  #socket;
  #owner;
  #options;
  #bodies;
  #encoder;
  #decoder;
  #outbox;
  #streams = null;
  #state = 'connecting';  // then open, leaving (the other side goes), closing (we go), ended
  #calls = new Map();     // by id; null: nobody waits for its answer any more
  #pushIds = new Set();
  #lastId = 0;
  #waiting = [];          // for room to send
  #serving;               // what the other side asks
  #reason = null;
  #hello = {};            // resolve, reject
  #ready;
  #drained = null;
  #awaitsPong = false;
  #patience = null;       // until a connection that the other side leaves is cut
  #heart = {timer: null, isAsked: false, dueAt: 0};

  // `owner`: {options, bodies, url, findHandler(name), findStreamHandler(name), peer, onLeaving(this,
  // why), onEnd(this, why), report(line)}.
  constructor(socket, owner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#options = owner.options;
    this.#bodies = owner.bodies;
    this.#encoder = new Encoder(this.#options.takes);
    this.#decoder = new Decoder(this.#options.takes, this.#options.maxUnfinishedBytes);
    this.#outbox = new Outbox(socket, this.#encoder, this.#options, {
      takeId: () => this.#takePushId(),
      freeId: (id) => this.#pushIds.delete(id),
      onRoom: () => this.#hasRoomAgain(),
    });
    this.#serving = new Serving(owner, this.#outbox, {
      streams: () => this.#streams,
      isClosing: () => this.#state === 'closing',
      at: (until, ring) => this.#at(until, ring),
      answer: (message) => this.#answer(message),
      fail: (why) => this.#break(why),
      hasEnded: () => this.#lookIfDrained(),
    });
    this.#ready = new Promise((resolve, reject) => Object.assign(this.#hello, {resolve, reject}));
    this.#ready.catch(() => {});
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#outbox.raw(this.#encoder.hello());
    socket.onmessage = ({data}) => this.#take(data);
    // The end follows. What is wrong is not told to pages; the package ws of node tells it.
    let complaint = '';
    socket.onerror = (event) => {
      complaint = event?.message ?? '';
    };
    socket.onclose = ({code, reason}) => {
      const cause = [`WebSocket ${code} ${reason}`.trim(), complaint].filter(Boolean).join(': ');
      this.#end(this.#state === 'connecting'
        ? new ParleyError('not_sent', `no connection to ${owner.url} could be made`, {cause})
        : new ParleyError('unavailable', 'the connection was closed', {cause}));
    };
  }

  // When the other side has said hello.
  ready() {
    return this.#ready;
  }
  get isOpen() {
    return this.#state === 'open';
  }
  get isOver() {
    return this.#state === 'ended';
  }
  // Why it ended, or goes.
  get reason() {
    return this.#reason;
  }
  get underWay() {
    let calls = 0;
    for (const call of this.#calls.values()) calls += call === null ? 0 : 1;
    return calls + this.#serving.count + (this.#streams?.openedCount ?? 0);
  }

  // --- Asking

  // The answer to a CALL: {result, metadata}. `until`: when its time is over, by the clock.
  call(method, value, {until, signal, metadata, codec}) {
    const body = this.#bodies.write(value, codec);
    const message = {kind: 'CALL', method, metadata: pairsOf(metadata), ...body};
    return this.#ask(message, {until, signal}, (call) => {
      this.#outbox.post(message, `c${message.id}`, call);
    });
  }

  // Resolves when it is on its way.
  push(method, value, {until, signal, metadata, codec}) {
    const body = this.#bodies.write(value, codec);
    const message = {kind: 'PUSH', method, metadata: pairsOf(metadata), ...body};
    return this.#ask(message, {until, signal}, (call) => {
      this.#outbox.post(message, 'pushes', call);
      call.end(null);
    });
  }

  // A stream. `until`: of the stream as a whole; Infinity: it has no end.
  open(method, {until, sentBy, signal, metadata, codec}) {
    const message = {kind: 'OPEN', method, metadata: pairsOf(metadata), codec};
    return this.#ask(message, {until: Math.min(until, sentBy), signal}, (call) => {
      this.#streams.checkRoom();
      if (until !== Infinity) message.deadline = this.#left(until) * 1000;
      const core = this.#streams.add(message.id, true, codec);
      try {
        this.#outbox.post(message, core.lane, core);
      } catch (error) {
        this.#streams.forget(core);
        throw error;
      }
      call.end(null, new ParleyStream(this.#streams, core));
      this.#endWith(core, until, signal);
    });
  }

  // Ends a stream that was opened here when its time is over or its signal says so.
  #endWith(core, until, signal) {
    const timer = this.#at(until, () => {
      const why = new ParleyError('deadline_exceeded', 'the time of the stream is over');
      this.#streams.cancel(core, why);
    });
    const abort = () => this.#streams.cancel(core, cancelled(signal));
    signal?.addEventListener('abort', abort);
    core.onOver = () => {
      this.#options.clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  #left(until) {
    return Math.max(0, until - this.#options.clock.now());
  }

  // A timer that rings then; null: never. No timer knows of more than 24 days.
  #at(until, ring) {
    const left = this.#left(until);
    return left > 2 ** 31 - 1 ? null : this.#options.clock.setTimeout(ring, left);
  }

  // Runs `send(call)` when there is room, with an id if the message has one. The promise is what
  // call.end(error, value) says, by the answer if not by `send`.
  #ask(message, {until, signal}, send) {
    return new Promise((resolve, reject) => {
      const call = {id: 0, isSent: false, message, signal, timer: null, abort: null};
      call.end = (error, value) => {
        this.#options.clock.clearTimeout(call.timer);
        signal?.removeEventListener('abort', call.abort);
        if (error === null) resolve(value);
        else reject(error);
      };
      call.abort = () => this.#giveUp(call, cancelled(signal));
      call.go = () => this.#go(call, send, until);
      if (this.#state !== 'open') return reject(notSent(this.#reason));
      if (signal?.aborted) return reject(cancelled(signal));
      if (this.#calls.size + this.#waiting.length >= this.#options.maxCalls) {
        return reject(new ParleyError('resource_exhausted',
          `maxCalls: ${this.#options.maxCalls} calls of this session are under way`));
      }
      signal?.addEventListener('abort', call.abort);
      call.timer = this.#at(until, () => this.#giveUp(call,
        new ParleyError('deadline_exceeded', `${message.method}: no answer came in time`)));
      if (this.#waiting.length > 0 || this.#outbox.isFull) this.#wait(call);
      else call.go();
    });
  }

  #wait(call) {
    this.#waiting.push(call);
    this.#outbox.flush();
  }

  #go(call, send, until) {
    const {message} = call;
    try {
      if (message.kind !== 'PUSH') message.id = call.id = this.#freeId();
      if (message.kind === 'CALL' && until !== Infinity) {
        message.deadline = this.#left(until) * 1000;
      }
      send(call);
      if (message.kind === 'CALL') this.#calls.set(call.id, call);
    } catch (error) {
      call.end(error);
    }
  }

  // By the caller: nobody waits any more.
  #giveUp(call, why) {
    const i = this.#waiting.indexOf(call);
    if (i >= 0) {
      this.#waiting.splice(i, 1);
      return call.end(new ParleyError('not_sent',
        'maxOutgoingBytes wait to be sent and the other side takes nothing', {cause: why.message}));
    }
    if (this.#calls.get(call.id) !== call) return;
    const lane = `c${call.id}`;
    const hasBegun = this.#outbox.hasBegun(lane);
    const isWhole = this.#outbox.dropLane(lane).length === 0;
    // What was cut short is not answered, what is whole is.
    if (isWhole) this.#calls.set(call.id, null);
    else this.#calls.delete(call.id);
    if (isWhole || hasBegun) this.#outbox.post({kind: 'CANCEL', id: call.id}, '');
    call.end(isWhole || hasBegun ? why : new ParleyError('not_sent',
      `${call.message.method}: it was given up before it was sent`, {cause: why.message}));
    this.#lookIfDrained();
  }

  #isTaken(id) {
    return this.#calls.has(id) || this.#pushIds.has(id) || (this.#streams?.isOpen(id) ?? false);
  }
  #freeId() {
    do this.#lastId = this.#lastId % longestId + 1;
    while (this.#isTaken(this.#lastId));
    return this.#lastId;
  }
  #takePushId() {
    const id = this.#freeId();
    this.#pushIds.add(id);
    return id;
  }

  #hasRoomAgain() {
    while (this.#waiting.length > 0 && !this.#outbox.isFull) this.#waiting.shift().go();
    if (!this.#outbox.isFull) this.#streams?.wakeSenders();
  }

  // --- What comes

  #take(data) {
    if (this.#state === 'ended') return;
    this.#heart.isAsked = false;
    this.#beat();
    try {
      if (!(data instanceof ArrayBuffer)) {
        throw new ParleyError('invalid_argument', 'a message of the WebSocket is text');
      }
      this.#decoder.feed(new Uint8Array(data));
      for (let m = this.#decoder.next(); m !== null; m = this.#decoder.next()) {
        this.#takeMessage(m);
        if (this.#state === 'ended') return;
      }
    } catch (error) {
      this.#break(asStatus(error));
    }
  }

  // A mistake of the other side's: it is told, and the connection is cut.
  #break(why) {
    if (this.#state === 'ended') return;
    if (this.#decoder.settings !== null) {
      this.#outbox.post({kind: 'GO_AWAY', value: 0, status: {
        code: why.code, businessCode: 0, message: why.message, cause: ''}}, '');
      this.#outbox.flushAll();
    }
    this.cut(why);
  }

  #takeMessage(message) {
    if (message.auth) {
      throw new ParleyError('unimplemented', 'a log-in is not expected in a session');
    }
    switch (message.kind) {
      case 'HELLO': return this.#takeHello();
      case 'REPLY': return this.#takeReply(message);
      case 'CALL': return this.#serving.serve(message);
      case 'PUSH': return this.#serving.serve(message);
      case 'OPEN': return this.#serving.serveStream(message);
      case 'PING': return this.#answer({kind: 'PONG', value: message.value});
      case 'PONG': return this.#takePong(message);
      case 'GO_AWAY': return this.#takeGoAway(message);
      case 'CANCEL': return this.#takeCancel(message);
      default:
        this.#streams.take(message);
        return this.#lookIfDrained();
    }
  }

  #takeHello() {
    const {settings} = this.#decoder;
    this.#encoder.allow(settings);
    const out = {
      bodies: this.#bodies,
      post: (message, lane) => this.#outbox.post(message, lane),
      dropLane: (lane) => this.#outbox.dropLane(lane).map(({message}) => message),
      hasRoom: () => !this.#outbox.isFull,
      failureOf: (core) => this.#failure(core),
    };
    this.#streams = new Streams(out, this.#options, this.#options.takes, settings);
    if (this.#state === 'connecting') this.#state = 'open';
    this.#hello.resolve();
  }

  #takeReply(message) {
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (call) {
      // Answered before all of it was there.
      if (this.#outbox.dropLane(`c${message.id}`)[0]?.hasBegun) {
        this.#outbox.post({kind: 'CANCEL', id: message.id}, '');
      }
      if (message.status !== null) {
        call.end(toldError(message));
      } else {
        this.#settle(call, message);
      }
    }
    this.#lookIfDrained();
  }

  #settle(call, message) {
    try {
      if (message.filters) {
        throw new ParleyError('unimplemented', 'the answer went through filters');
      }
      call.end(null, {
        result: this.#bodies.read(message.codec, message.body), metadata: message.metadata});
    } catch (error) {
      call.end(asStatus(error));
    }
  }

  #takePong(message) {
    if (!isFarewell(message.value)) return;
    this.#awaitsPong = false;
    this.#lookIfDrained();
  }

  #takeGoAway(message) {
    if (this.#state !== 'open') return;
    const {status} = message;
    this.#state = 'leaving';
    this.#reason = new ParleyError('unavailable', 'the other side closed the session',
      {cause: [status?.message, status?.cause].filter(Boolean).join(': ')});
    const gone = [Code.unavailable, Code.not_sent, Code.ok];
    this.#owner.onLeaving(this, {
      reason: this.#reason, isSentAway: !gone.includes(status?.code ?? Code.ok)});
    // It says how long it waits for what is under way.
    const {clock, closeTimeoutMs} = this.#options;
    this.#patience = this.#at(clock.now() + Number(message.value) + closeTimeoutMs,
      () => this.cut(this.#reason));
    for (const call of this.#waiting.splice(0)) call.end(notSent(this.#reason));
    // It would not be run there.
    for (const [id, call] of this.#calls) {
      if (call === null || !this.#outbox.waits(`c${id}`)) continue;
      const hasBegun = this.#outbox.hasBegun(`c${id}`);
      this.#outbox.dropLane(`c${id}`);
      if (hasBegun) this.#outbox.post({kind: 'CANCEL', id}, '');
      this.#calls.delete(id);
      call.end(notSent(this.#reason));
    }
  }

  #takeCancel(message) {
    this.#serving.giveUp(message.id, new ParleyError('cancelled', 'the caller has given up'));
    this.#outbox.shorten(`r${message.id}`);
    this.#streams.take(message);
  }

  // What costs the other side nothing to ask for is not kept for it without a limit.
  #answer(message) {
    if (this.#outbox.bytes >= 2 * this.#options.maxOutgoingBytes) {
      return this.cut(new ParleyError('resource_exhausted',
        'maxOutgoingBytes: the other side asks and takes no answers'));
    }
    this.#outbox.post(message, '');
  }

  // --- The heart: who is silent is asked, and cut when nothing comes

  #beat() {
    const {clock, pingIntervalMs, pingTimeoutMs} = this.#options;
    clock.clearTimeout(this.#heart.timer);
    if (pingIntervalMs === 0 || this.#state === 'ended') return;
    const wait = this.#heart.isAsked ? pingTimeoutMs : pingIntervalMs;
    this.#heart.dueAt = clock.now() + wait;
    this.#heart.timer = clock.setTimeout(() => {
      // A page that slept has had no chance to read what came meanwhile.
      const hasSlept = clock.now() - this.#heart.dueAt > pingTimeoutMs;
      if (!this.#heart.isAsked || hasSlept) return this.check();
      this.cut(new ParleyError('unavailable',
        `pingTimeoutMs: nothing has come for ${pingIntervalMs + pingTimeoutMs} ms`));
    }, wait);
  }

  // Asks whether the other side is still there.
  check() {
    if (this.#decoder.settings === null || this.#state === 'ended') return;
    this.#heart.isAsked = true;
    this.#outbox.post({kind: 'PING', value: new Uint8Array(8)}, '');
    this.#beat();
  }

  // --- The end

  // In order: tells the other side, waits for what is under way, at most so long.
  async close(drainTimeoutMs) {
    const {clock} = this.#options;
    if (this.#state === 'ended') return;
    if (this.#decoder.settings === null) {
      return this.cut(new ParleyError('cancelled', 'the peer was closed'));
    }
    if (this.#state !== 'closing') {
      this.#state = 'closing';
      this.#reason ??= new ParleyError('cancelled', 'the peer was closed');
      for (const call of this.#waiting.splice(0)) call.end(notSent(this.#reason));
      const status = {
        code: Code.unavailable, businessCode: 0, message: 'the peer was closed', cause: ''};
      this.#outbox.post({kind: 'GO_AWAY', status, value: drainTimeoutMs}, '');
      this.#outbox.post({kind: 'PING', value: farewell}, '');
      this.#awaitsPong = true;
    }
    await new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, drainTimeoutMs);
      this.#drained = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.#lookIfDrained();
    });
    if (this.#state === 'ended') return;
    this.#outbox.flushAll();
    this.#hangUp();
    await new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, this.#options.closeTimeoutMs);
      this.#drained = () => {
        clock.clearTimeout(timer);
        resolve();
      };
    });
    this.#end(this.#reason);
  }

  #hangUp() {
    try {
      this.#socket.close(1000);
    } catch {
      // It was never open.
    }
  }

  // At once.
  cut(why) {
    this.#hangUp();
    this.#end(why);
  }

  #lookIfDrained() {
    if (this.#drained === null || this.#state === 'ended') return;
    if (this.underWay === 0 && !this.#awaitsPong && this.#socket.readyState === 1) this.#drained();
  }

  #failure(of) {
    const cause = this.#reason?.cause || this.#reason?.message;
    if (of.isOwn === false) {
      return new ParleyError('unavailable', 'the session was cut before the stream ended', {cause});
    }
    if (of.isSent) {
      return new ParleyError('outcome_unknown', 'the session was cut before the answer came',
        {cause});
    }
    return new ParleyError('not_sent', 'the session was cut before the call was sent', {cause});
  }

  #end(why) {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#reason ??= why;
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#options.clock.clearTimeout(this.#heart.timer);
    this.#options.clock.clearTimeout(this.#patience);
    this.#outbox.end();
    // First of all the peer, so that whoever asks again goes to the next connection.
    this.#owner.onEnd(this, this.#reason);
    this.#hello.reject(this.#reason);
    for (const call of this.#waiting.splice(0)) call.end(notSent(this.#reason));
    for (const call of this.#calls.values()) call?.end(this.#failure(call));
    this.#calls.clear();
    this.#streams?.endAll();
    this.#serving.giveUpAll(new ParleyError('unavailable', 'the session was cut'));
    this.#drained?.();
  }
}

function cancelled(signal) {
  const {reason} = signal;
  return new ParleyError('cancelled', 'the caller gave up',
    {cause: reason === undefined ? '' : String(reason?.message ?? reason)});
}
