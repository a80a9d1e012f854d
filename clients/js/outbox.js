// Outbox: what waits to be sent on one WebSocket. Small messages first, in their order; bodies that
// are large go in parts between them and take turns; what shares a lane (the messages of a stream,
// all pushes) keeps its order. It hands the socket no more than it takes (bufferedAmount).
import {concat} from './framing.js';
import {noBytes} from './layout.js';

// As many bodies may be under way in parts as the framing allows, less one.
const mostInParts = 63;
// So much of small frames goes in one message of the WebSocket.
const mostJoined = 65_536;

export class Outbox {
  #socket;
  #encoder;
  #options;
  #takeId;
  #freeId;
  #onRoom;
  #small = [];     // {frame, of}
  #smallBytes = 0;
  #lanes = new Map();
  #turns = [];     // the lanes that have something in parts at their head
  #partBytes = 0;  // of bodies that wait there
  #begun = 0;
  #isAsked = false;
  #timer = null;
  #isOver = false;

  // `takeId`, `freeId`: for PUSHes in parts. `onRoom`: called when something has left.
  constructor(socket, encoder, options, {takeId, freeId, onRoom}) {
    this.#socket = socket;
    this.#encoder = encoder;
    this.#options = options;
    this.#takeId = takeId;
    this.#freeId = freeId;
    this.#onRoom = onRoom;
  }

  // Bytes that have not left, those with the socket included.
  get bytes() {
    return this.#smallBytes + this.#partBytes + this.#socket.bufferedAmount;
  }
  get isFull() {
    return this.bytes >= this.#options.maxOutgoingBytes;
  }

  get #isUp() {
    return this.#socket.readyState === 1;
  }
  get #largestPart() {
    return Math.min(this.#options.partBytes, this.#encoder.other.maxFrame - 16_384);
  }

  raw(bytes) {
    this.#small.push({frame: bytes, of: null});
    this.#smallBytes += bytes.length;
    this.#ask();
  }

  // `of.isSent` is set when the first byte has gone to the socket. Throws what is wrong with the
  // message: nothing has changed then.
  post(message, lane, of = null) {
    if (this.#isOver) return;
    const isLarge = (message.body?.length ?? 0) > this.#largestPart;
    const queue = this.#lanes.get(lane);
    if (queue === undefined && !isLarge) return this.#add(message, of);
    this.#encoder.check(message);
    const entry = {message, of, body: message.body ?? noBytes, at: 0, hasBegun: false, id: 0};
    this.#partBytes += entry.body.length;
    if (queue !== undefined) {
      queue.push(entry);
    } else {
      this.#lanes.set(lane, [entry]);
      this.#turns.push(lane);
    }
    this.#ask();
  }

  // What waits in this lane, which is gone then: its messages. With the first of them `hasBegun`.
  dropLane(lane) {
    const queue = this.#lanes.get(lane) ?? [];
    if (queue.length === 0) return [];
    this.#lanes.delete(lane);
    this.#turns = this.#turns.filter((each) => each !== lane);
    for (const entry of queue) this.#partBytes -= entry.body.length - entry.at;
    if (queue[0].hasBegun) this.#end(queue[0]);
    return queue;
  }

  // Nobody looks at the rest of this answer, which has to end in order all the same.
  shorten(lane) {
    const entry = this.#lanes.get(lane)?.[0];
    if (entry === undefined) return;
    this.#partBytes -= entry.body.length - entry.at;
    entry.body = entry.body.subarray(0, entry.at);
    this.#ask();
  }

  // Whether this lane's first message has begun to leave in parts and is not whole.
  hasBegun(lane) {
    return this.#lanes.get(lane)?.[0].hasBegun ?? false;
  }
  waits(lane) {
    return this.#lanes.has(lane);
  }

  // Sends what the socket takes; called by itself in a moment.
  flush() {
    this.#isAsked = false;
    if (this.#isOver) return;
    // One that is closing would drop it: then it is certain that it was not sent.
    while (this.#isUp && this.#socket.bufferedAmount < this.#options.maxBuffered) {
      if (this.#small.length > 0) this.#sendSmall();
      else if (!this.#sendPart()) break;
    }
    const isWaiting = this.#small.length > 0 || this.#turns.length > 0;
    if (this.#isUp && (isWaiting || this.isFull) && this.#timer === null) {
      this.#timer = this.#options.clock.setTimeout(() => {
        this.#timer = null;
        this.flush();
      }, this.#options.pollMs);
    }
    this.#onRoom();
  }

  // Whatever the socket says to it.
  flushAll() {
    while (!this.#isOver && this.#isUp && this.#small.length > 0) this.#sendSmall();
  }

  end() {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#small = [];
    this.#lanes.clear();
    this.#turns = [];
    this.#smallBytes = this.#partBytes = 0;
  }

  #ask() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    queueMicrotask(() => this.flush());
  }

  #add(message, of) {
    const frame = this.#encoder.encode(message);
    this.#small.push({frame, of});
    this.#smallBytes += frame.length;
    this.#ask();
  }

  #sendSmall() {
    let size = 0;
    let count = 0;
    while (count < this.#small.length && size < mostJoined) {
      size += this.#small[count++].frame.length;
    }
    const some = this.#small.splice(0, count);
    for (const {of} of some) if (of !== null) of.isSent = true;
    this.#smallBytes -= size;
    this.#socket.send(concat(some.map(({frame}) => frame), size));
  }

  // One part of the body whose turn it is; false when there is none.
  #sendPart() {
    const mayBegin = this.#begun < mostInParts;
    const i = this.#turns.findIndex((lane) => mayBegin || this.#lanes.get(lane)[0].hasBegun);
    if (i < 0) return false;
    const [lane] = this.#turns.splice(i, 1);
    const queue = this.#lanes.get(lane);
    const entry = queue[0];
    const frame = entry.hasBegun ? this.#nextPart(entry) : this.#firstPart(entry);
    this.#socket.send(frame);
    if (entry.at < entry.body.length || entry.isOpen) {
      this.#turns.push(lane);
      return true;
    }
    this.#end(entry);
    queue.shift();
    this.#goOn(lane, queue);
    return true;
  }

  // What stood behind it and is small follows at once.
  #goOn(lane, queue) {
    while (queue.length > 0 && queue[0].body.length <= this.#largestPart) {
      const {message, of, body} = queue.shift();
      this.#partBytes -= body.length;
      this.#add(message, of);
    }
    if (queue.length > 0) this.#turns.push(lane);
    else this.#lanes.delete(lane);
  }

  #firstPart(entry) {
    const {message, of} = entry;
    const room = this.#encoder.other.maxFrame - this.#encoder.headBytes(message);
    const size = Math.min(this.#largestPart, room, entry.body.length);
    entry.id = message.kind === 'PUSH' ? this.#takeId() : message.id;
    const body = entry.body.subarray(0, size);
    const frame = this.#encoder.encode({...message, id: entry.id, body, more: true});
    entry.hasBegun = true;
    entry.isOpen = true;  // its last part has not gone
    ++this.#begun;
    entry.at = size;
    this.#partBytes -= size;
    if (of !== null) of.isSent = true;
    return frame;
  }

  #nextPart(entry) {
    const body = entry.body.subarray(entry.at, entry.at + this.#largestPart);
    entry.at += body.length;
    this.#partBytes -= body.length;
    entry.isOpen = entry.at < entry.body.length;
    const {kind, own} = entry.message;
    const isOwn = kind === 'DATA' ? own : kind !== 'REPLY';
    return this.#encoder.encode(
      {kind: 'PART', id: entry.id, own: isOwn, body, more: entry.isOpen});
  }

  #end(entry) {
    --this.#begun;
    if (entry.message.kind === 'PUSH') this.#freeId(entry.id);
  }
}
