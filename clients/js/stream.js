// Streams: messages both ways. ParleyStream is what a program holds; Streams is what a connection
// knows of all of them, their credit above all (docs/protocols/parley.md, Streams).
//
//   const chat = await peer.open('/chat');
//   await chat.send('hello');                 // waits while the other side has no room
//   for await (const line of chat) show(line);
import {Code, ParleyError} from './error.js';

// What a message costs beside its bytes.
const messageCost = 16;
const mostCredit = 2 ** 50;

// What must be left for a message of that cost: one that is larger than half of all there ever is
// goes when that half is there.
const needed = (cost, all) => Math.min(cost, Math.floor(all / 2));

export class ParleyStream {
  #core;
  #streams;
  #sending = Promise.resolve();
  #waiting = 0;

  // Made by a connection.
  constructor(streams, core) {
    this.#streams = streams;
    this.#core = core;
  }

  // Waits for the next message: {value, done}. Done when the other side has finished in order; an
  // error it ended with is thrown, when all that came before has been handed out.
  receive() {
    return this.#streams.receive(this.#core);
  }

  // Leaving a loop early gives the stream up, where it was opened here.
  [Symbol.asyncIterator]() {
    return {
      next: () => this.receive(),
      return: async (value) => {
        this.cancel();
        return {value, done: true};
      },
    };
  }

  // Sends a message, in the order of the calls; resolves when it is on its way: there was room for
  // it on the other side (credit) and here.
  send(value) {
    if (this.#waiting >= this.#streams.options.maxWaiting) {
      return Promise.reject(new ParleyError('resource_exhausted',
        `maxWaiting: ${this.#waiting} messages wait on this stream: await send()`));
    }
    ++this.#waiting;
    const sent = this.#sending.then(() => this.#streams.send(this.#core, value));
    this.#sending = sent.catch(() => {}).then(() => {
      --this.#waiting;
    });
    return sent;
  }

  // Sends each of them and, on the side that opened the stream, finishes.
  async sendAll(values) {
    for await (const value of values) await this.send(value);
    if (this.#core.isOwn) await this.finish();
  }

  // By the side that opened it: no more is sent from here, receiving goes on.
  finish() {
    const finished = this.#sending.then(() => this.#streams.finish(this.#core));
    this.#sending = finished.catch(() => {});
    return finished;
  }

  // Gives it up, on the side that opened it; where it is served it ends when its handler does.
  cancel() {
    if (!this.#core.isOwn) return;
    this.#streams.cancel(this.#core,
      new ParleyError('cancelled', 'the stream was given up on this side'));
  }

  // The metadata its handler ended with, once it has; undefined before.
  get endMetadata() {
    return this.#core.endMetadata;
  }
}

export class Streams {
  #out;
  #takes;
  #other;
  #opened = new Map();
  #served = new Map();
  #maySend;
  #toReturn = 0;
  #toAnnounce = 0;
  #senders = new Set();  // that wait
  options;

  // `out`: {post(message, lane), dropLane(lane), hasRoom(), failureOf(core), bodies}. `takes` and
  // `other`: what this side takes, and the other one.
  constructor(out, options, takes, other) {
    this.#out = out;
    this.options = options;
    this.#takes = takes;
    this.#other = other;
    this.#maySend = other.sessionCredit;
  }

  get openedCount() {
    return this.#opened.size;
  }
  get servedCount() {
    return this.#served.size;
  }
  isOpen(id) {
    return this.#opened.has(id);
  }
  // A stream opened here needs a place among those that the other side takes.
  checkRoom() {
    if (this.#opened.size < this.#other.maxStreams) return;
    throw new ParleyError('resource_exhausted',
      `max_streams: the other side takes ${this.#other.maxStreams} streams at once`);
  }
  takesAnother() {
    return this.#served.size < this.#takes.maxStreams;
  }
  isServed(id) {
    return this.#served.has(id);
  }

  add(id, isOwn, codec) {
    const core = {
      id, isOwn, codec, isSent: false, lane: `${isOwn ? 'o' : 's'}${id}`,
      inbox: [], readers: [], maySend: this.#other.streamCredit, toReturn: 0, toAnnounce: 0,
      hasOtherFinished: false, hasFinished: false, isOver: false, end: null,
      endMetadata: undefined, wake: null, onOver: () => {},
    };
    (isOwn ? this.#opened : this.#served).set(id, core);
    return core;
  }

  // --- By the program

  async receive(core) {
    for (;;) {
      if (core.inbox.length > 0) {
        const body = core.inbox.shift();
        this.#eaten(core, body.length + messageCost);
        return {value: this.#out.bodies.read(core.codec, body), done: false};
      }
      if (core.isOver && core.end !== null) throw core.end;
      if (core.isOver || core.hasOtherFinished) return {value: undefined, done: true};
      await new Promise((resolve) => core.readers.push(resolve));
    }
  }

  async send(core, value) {
    const {body} = this.#out.bodies.write(value === undefined ? null : value, core.codec);
    const cost = body.length + messageCost;
    for (;;) {
      if (core.isOver) {
        throw core.end ?? new ParleyError('cancelled', 'the other side has ended the stream');
      }
      if (core.hasFinished) {
        throw new ParleyError('failed_precondition', 'a message was sent after finish()');
      }
      const hasCredit = core.maySend >= needed(cost, this.#other.streamCredit) &&
        this.#maySend >= needed(cost, this.#other.sessionCredit);
      if (hasCredit && this.#out.hasRoom()) break;
      await new Promise((resolve) => {
        core.wake = resolve;
        this.#senders.add(core);
      });
    }
    this.#out.post({kind: 'DATA', id: core.id, own: core.isOwn, body}, core.lane);
    core.maySend -= cost;
    this.#maySend -= cost;
  }

  async finish(core) {
    if (core.isOver || core.hasFinished || !core.isOwn) return;
    core.hasFinished = true;
    this.#out.post({kind: 'END', id: core.id, own: true}, core.lane);
  }

  cancel(core, why) {
    if (core.isOver) return;
    const wasOpen = this.#opened.get(core.id) === core;
    this.#finish(core, why);
    this.#letGo(core);
    // None of them counts over there: one that was cut short is forgotten with the CANCEL.
    for (const message of this.#out.dropLane(core.lane)) {
      if (message.kind === 'DATA') this.#maySend += message.body.length + messageCost;
    }
    if (wasOpen) this.#out.post({kind: 'CANCEL', id: core.id}, `c${core.id}`);
    this.wakeSenders();
  }

  // A served one whose time is over.
  fail(core, why) {
    if (core.isOver) return;
    this.#finish(core, why);
    this.#letGo(core);
  }

  // One whose OPEN could not be sent.
  forget(core) {
    this.#opened.delete(core.id);
  }

  // The handler of a served stream has ended.
  endServed(core, status, metadata) {
    if (this.#served.get(core.id) !== core) return;
    this.#served.delete(core.id);
    if (!core.isOver) this.#finish(core, null);
    this.#letGo(core);
    const end = {kind: 'END', id: core.id, own: false, status};
    try {
      this.#out.post({...end, metadata}, core.lane);
    } catch (error) {
      // There is too much of it: its reader hears at least that.
      this.#out.post({...end, status: error}, core.lane);
    }
  }

  // There is room to send, or credit.
  wakeSenders() {
    const waiting = [...this.#senders];
    this.#senders.clear();
    for (const core of waiting) core.wake();
  }

  // --- What comes. A mistake of the other side is thrown.

  take(message) {
    if (message.kind === 'DATA') return this.#takeData(message);
    if (message.kind === 'END') return this.#takeEnd(message);
    if (message.kind === 'CREDIT') return this.#takeCredit(message);
    const core = this.#served.get(message.id);
    if (core !== undefined && !core.isOver) {
      this.#finish(core, new ParleyError('cancelled', 'the other side has given up'));
      this.#letGo(core);
    }
  }

  #coreOf(message) {
    return (message.own ? this.#served : this.#opened).get(message.id);
  }

  #refuse(message, what) {
    throw new ParleyError('invalid_argument', `${message.kind} of stream ${message.id}: ${what}`);
  }

  #takeData(message) {
    const cost = (message.refused ? message.value : message.body.length) + messageCost;
    const fits = (unreturned, all) => unreturned + needed(cost, all) <= all;
    if (!fits(this.#toReturn, this.#takes.sessionCredit)) {
      this.#refuse(message, 'beyond the credit of the session');
    }
    this.#toReturn += cost;
    const core = this.#coreOf(message);
    if (core === undefined) return this.#eaten(null, cost);
    if (core.hasOtherFinished) this.#refuse(message, 'after the end');
    if (!fits(core.toReturn, this.#takes.streamCredit)) {
      this.#refuse(message, 'beyond the credit of the stream');
    }
    core.toReturn += cost;
    if (message.refused && !core.isOver) {
      const why = new ParleyError(message.status.code, message.status.message);
      if (core.isOwn) this.cancel(core, why);
      else this.#finish(core, why);
    }
    if (core.isOver) return this.#eaten(core, cost);
    core.inbox.push(message.body);
    core.readers.shift()?.();
  }

  #takeEnd(message) {
    const core = this.#coreOf(message);
    if (core === undefined) return;
    if (core.hasOtherFinished) this.#refuse(message, 'a second time');
    core.hasOtherFinished = true;
    if (message.own) {
      for (const wake of core.readers.splice(0)) wake();
      return;
    }
    core.endMetadata = message.metadata;
    this.#opened.delete(core.id);
    if (!core.isOver) this.#finish(core, message.status === null ? null : toldError(message));
    this.wakeSenders();
  }

  #takeCredit(message) {
    const more = Number(message.value);
    const core = message.id === 0 ? this : this.#coreOf(message);
    if (core === undefined || more === 0) return;
    const left = (message.id === 0 ? this.#maySend : core.maySend) + Math.min(more, mostCredit);
    if (left > mostCredit) this.#refuse(message, 'more than can be meant');
    if (message.id === 0) this.#maySend = left;
    else core.maySend = left;
    this.wakeSenders();
  }

  // Messages of that cost were read, or thrown away: what is a quarter of all is given back.
  #eaten(core, cost) {
    if (core !== null) {
      core.toAnnounce += cost;
      const isOpen = !core.isOver && !core.hasOtherFinished;
      if (isOpen && core.toAnnounce >= this.#takes.streamCredit / 4) {
        this.#out.post({kind: 'CREDIT', id: core.id, own: core.isOwn, value: core.toAnnounce}, '');
        core.toReturn -= core.toAnnounce;
        core.toAnnounce = 0;
      }
    }
    this.#toAnnounce += cost;
    if (this.#toAnnounce < this.#takes.sessionCredit / 4) return;
    this.#out.post({kind: 'CREDIT', id: 0, own: false, value: this.#toAnnounce}, '');
    this.#toReturn -= this.#toAnnounce;
    this.#toAnnounce = 0;
  }

  // What nobody will read.
  #letGo(core) {
    for (const body of core.inbox.splice(0)) this.#eaten(core, body.length + messageCost);
  }

  #finish(core, end) {
    core.isOver = true;
    core.end = end;
    core.onOver(end);
    for (const wake of core.readers.splice(0)) wake();
    if (this.#senders.delete(core)) core.wake();
  }

  // Nothing can come any more.
  endAll() {
    for (const core of [...this.#opened.values(), ...this.#served.values()]) {
      if (!core.isOver) this.#finish(core, this.#out.failureOf(core));
    }
    this.#opened.clear();
    this.wakeSenders();
  }
}

// What the other side says of a call or a stream. Only its caller can know that the outcome of a
// call is unknown.
export function toldError(message) {
  const {code, businessCode, cause} = message.status;
  const told = code === Code.outcome_unknown ? Code.unknown : code;
  return new ParleyError(told, message.status.message,
    {businessCode, cause, metadata: message.metadata, isRemote: true});
}
