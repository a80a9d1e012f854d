// The parley framing, version 1 (docs/protocols/parley.md): messages to bytes and back. It opens
// nothing and waits for nothing. An Encoder and a Decoder belong to one connection; both remember
// the names of methods, so what an Encoder made must be sent in that order.
//
//   const encoder = new Encoder();
//   send(encoder.hello());
//   send(encoder.encode({kind: 'CALL', id: 1, method: '/math/add', codec: 0x6a, body}));
//
//   const decoder = new Decoder();
//   decoder.feed(bytes);                                  // however they were cut
//   for (let m = decoder.next(); m !== null; m = decoder.next()) ...   // HELLO first
//
// A message is an object: kind, id, own, more, method, deadline (microseconds; undefined: none),
// status (null: ok; else {code, businessCode, message, cause}), metadata (a list of [key, value]),
// codec (a number), filters (null or Uint8Array), value (of CREDIT and GO_AWAY a number or BigInt,
// of PING and PONG 8 bytes), body (Uint8Array), refused (the body was too large and is gone).
export {Decoder, concat} from './decoder.js';
export {Encoder} from './encoder.js';
export {leastSettings} from './layout.js';
