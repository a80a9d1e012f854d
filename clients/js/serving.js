// Serving: what the other side of one connection asks this one: its calls, pushes and streams, from
// their limits to their answers. connection.js is what this side asks, and the connection itself.
import {pairsOf} from './body.js';
import {Code, ParleyError, asStatus} from './error.js';
import {ParleyStream} from './stream.js';

// What a handler's error is for its caller: whether a call was sent, and ran, its own side says.
const asAnswer = (error) => {
  const status = asStatus(error);
  const other = {[Code.not_sent]: 'unavailable', [Code.outcome_unknown]: 'unknown'}[status.code];
  return other === undefined ? status : new ParleyError(other, status.message, status);
};

export class Serving {
  #owner;
  #options;
  #bodies;
  #outbox;
  #link;
  #running = new Map();  // calls and streams that are served, by kind and id
  #handlers = 0;

  // `owner`: that of the connection. `link`: {streams(), isClosing(), at(time, ring),
  // answer(message), fail(why), hasEnded()}.
  constructor(owner, outbox, link) {
    this.#owner = owner;
    this.#options = owner.options;
    this.#bodies = owner.bodies;
    this.#outbox = outbox;
    this.#link = link;
  }

  // How many handlers run.
  get count() {
    return this.#handlers;
  }

  // The caller of a call waits no longer.
  giveUp(id, why) {
    this.#running.get(`c${id}`)?.abort(why);
  }
  giveUpAll(why) {
    for (const control of this.#running.values()) control.abort(why);
  }

  // Why a request is not run; null: it is.
  #refusal(message) {
    if (this.#link.isClosing()) {
      return new ParleyError('not_sent', 'the session is closing: the call was not run');
    }
    if (message.refused) return new ParleyError(message.status.code, message.status.message);
    if (message.filters) {
      return new ParleyError('unimplemented', 'this side has no filters');
    }
    if (this.#handlers >= this.#options.maxHandlers) {
      return new ParleyError('resource_exhausted',
        `maxHandlers: ${this.#handlers} requests of this session are running; this was not run`);
    }
    if (this.#outbox.isFull) {
      return new ParleyError('resource_exhausted',
        'maxOutgoingBytes: answers wait to be taken; the call was not run');
    }
    return null;
  }

  // What a handler sees of its request. Its signal ends with the caller's patience.
  #begin(message, key) {
    if (this.#running.has(key)) {
      throw new ParleyError('invalid_argument', `${message.kind} ${message.id}: its id is in use`);
    }
    const control = new AbortController();
    const {clock} = this.#options;
    const deadline = message.deadline === undefined ? Infinity
      : clock.now() + message.deadline / 1000;
    const timer = this.#link.at(deadline, () => control.abort(
      new ParleyError('deadline_exceeded', 'the caller\'s deadline has passed')));
    this.#running.set(key ?? control, control);
    ++this.#handlers;
    const replyMetadata = [];
    return {
      control, replyMetadata,
      context: {
        method: message.method, isPush: message.kind === 'PUSH', metadata: message.metadata,
        signal: control.signal, deadline, replyMetadata, peer: this.#owner.peer,
      },
      end: () => {
        clock.clearTimeout(timer);
        this.#running.delete(key ?? control);
        --this.#handlers;
      },
    };
  }

  async serve(message) {
    const isCall = message.kind === 'CALL';
    const handler = this.#owner.findHandler(message.method);
    const why = this.#refusal(message) ?? (handler ? null
      : new ParleyError('not_found', `no method "${message.method}"`));
    if (why !== null) {
      if (!isCall) return this.#owner.report(`PUSH ${message.method} dropped: ${why}`);
      return this.#link.answer({kind: 'REPLY', id: message.id, status: why, codec: 0});
    }
    const run = this.#tryBegin(message, isCall ? `c${message.id}` : null);
    if (run === null) return;
    let answer;
    try {
      const value = await handler(this.#bodies.read(message.codec, message.body), run.context);
      const codec = message.codec || this.#options.codec;
      answer = {status: null, ...this.#bodies.write(value, this.#bodies.canWrite(codec, value)
        ? codec : this.#options.codec)};
    } catch (error) {
      answer = {status: asAnswer(error), codec: 0};
    }
    run.end();
    if (!isCall) {
      if (answer.status) this.#owner.report(`PUSH ${message.method} failed: ${answer.status}`);
    } else {
      this.#reply({kind: 'REPLY', id: message.id, metadata: pairsOf(run.replyMetadata), ...answer});
    }
    this.#link.hasEnded();
  }

  #tryBegin(message, key) {
    try {
      return this.#begin(message, key);
    } catch (error) {
      this.#link.fail(error);
      return null;
    }
  }

  #reply(message) {
    const {id} = message;
    try {
      if (this.#outbox.bytes >= 2 * this.#options.maxOutgoingBytes) {
        throw new ParleyError('resource_exhausted',
          'maxOutgoingBytes: other answers wait; the call was run');
      }
      this.#outbox.post(message, `r${id}`);
    } catch (error) {
      this.#outbox.post({kind: 'REPLY', id, status: asStatus(error), codec: 0}, '');
    }
  }

  async serveStream(message) {
    const {id} = message;
    if (this.#link.streams().isServed(id)) {
      return this.#link.fail(new ParleyError('invalid_argument',
        `OPEN of stream ${id}: its number is in use`));
    }
    const handler = this.#owner.findStreamHandler(message.method);
    const why = this.#refusal(message) ?? (this.#link.streams().takesAnother() ? null
      : new ParleyError('resource_exhausted', 'max_streams: too many streams are open')) ??
      (handler ? null : new ParleyError('not_found', `no stream "${message.method}"`));
    if (why !== null) return this.#link.answer({kind: 'END', id, own: false, status: why});
    const run = this.#tryBegin(message, `s${id}`);
    if (run === null) return;
    const core = this.#link.streams().add(id, false, message.codec);
    core.onOver = (error) => run.control.abort(error ?? undefined);
    const {signal} = run.control;
    signal.addEventListener('abort', () => this.#link.streams().fail(core, signal.reason));
    const stream = new ParleyStream(this.#link.streams(), core);
    let status = null;
    try {
      const made = await handler(stream, run.context);
      if (typeof made?.[Symbol.asyncIterator] === 'function') await stream.sendAll(made);
    } catch (error) {
      status = asAnswer(error);
    }
    run.end();
    this.#link.streams().endServed(core, status, pairsOf(run.replyMetadata));
    this.#link.hasEnded();
  }
}
