// The foreign witness of node_witness_test.cc: JSON as node has it, and @msgpack/msgpack of npm.
//
// Every message travels as one line of hexadecimal digits.
//
//   node node_witness.js json    < messages > messages     read each, write it again
//   node node_witness.js msgpack < messages > messages
//   node node_witness.js cross   < messages > messages     MessagePack to JSON
'use strict';
const [, , mode] = process.argv;
const {decode, encode} = mode === 'json' ? {} : require('@msgpack/msgpack');

// Integers beyond 2^53 stay whole as BigInt, which JSON.stringify does not take.
const whole = {useBigInt64: true};
const inJson = (_, value) => (typeof value === 'bigint' ? Number(value) : value);

const rewrite = {
  json: (bytes) => Buffer.from(JSON.stringify(JSON.parse(bytes.toString('utf8')))),
  msgpack: (bytes) => Buffer.from(encode(decode(bytes, whole), whole)),
  cross: (bytes) => Buffer.from(JSON.stringify(decode(bytes, whole), inJson)),
}[mode];

const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
for (const line of lines) console.log(rewrite(Buffer.from(line, 'hex')).toString('hex'));
