// What the frames of the parley framing have in them (docs/protocols/parley.md), for who writes
// them (encoder.js) and who reads them (decoder.js): neither needs the other.

// What one side takes, where it has not said otherwise, and the least that may be said.
export const leastSettings = Object.freeze({
  maxFrame: 65_536,
  maxMessage: 65_536,
  maxStreams: 100,
  streamCredit: 65_536,
  sessionCredit: 1_048_576,
  maxNames: 128,
  features: 0,
});
export const numberedSettings = Object.keys(leastSettings);  // from 1

export const magic = [0xf0, 0x50, 0x52, 0x4c];
export const longestMethod = 255;
export const longestDeadline = 2 ** 50;
export const mostMetadata = 1024;

const own = {own: 0x10};
const withMetadata = {metadata: 0x20};
const withBody = {body: true, more: 0x40};
const request = {method: true, codec: true, ...withMetadata};
// What a frame of each kind has: flags by their bits, fields as true.
export const shapes = [
  null,
  {kind: 'CALL', id: true, ...request, ...withBody, deadline: 0x10, auth: 0x80},
  {kind: 'REPLY', id: true, codec: true, status: 0x10, ...withMetadata, ...withBody, auth: 0x80},
  {kind: 'PUSH', ...request, ...withBody},
  {kind: 'OPEN', id: true, ...request, deadline: 0x10},
  {kind: 'DATA', id: true, ...own, ...withBody},
  {kind: 'END', id: true, ...own, status: 0x80, ...withMetadata},
  {kind: 'CANCEL', id: true},
  {kind: 'CREDIT', id: true, ...own, value: true},
  {kind: 'PART', id: true, ...own, ...withBody},
  {kind: 'PING', eight: true},
  {kind: 'PONG', eight: true},
  {kind: 'GO_AWAY', value: true},
  null,
  null,
  null,
];
for (const shape of shapes) {
  if (shape === null) continue;
  shape.flags = 0;
  for (const flag of ['deadline', 'own', 'status', 'metadata', 'more', 'auth']) {
    shape.flags |= shape[flag] ?? 0;
  }
}
export const kinds = new Map(shapes.map((shape, kind) => [shape?.kind, kind]));
export const shapeOf = (message) => shapes[kinds.get(message.kind)];

// Whether the sender of this message began the exchange it belongs to.
export const isOfOwnExchange = (message) =>
  (shapeOf(message).own ? message.own : message.kind !== 'REPLY');
export const partKey = (id, isOwn) => id * 2 + (isOwn ? 1 : 0);

export const noBytes = new Uint8Array(0);
