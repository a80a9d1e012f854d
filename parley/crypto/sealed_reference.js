// An independent reader and writer of sealed sequences: it knows docs/protocols/sealed.md and
// nothing of Parley.
//
// node sealed_reference.js <lines   each line is JSON: what to do, answered by a line of hex.
//   {"algorithm", "side", "shared", "salt", "context", "per_key", "number", "beside", "plain"}
//   seals; with "sealed" in place of "plain" it opens, and answers "no" when that fails.
const crypto = require('crypto');

const hex = (text) => Buffer.from(text, 'hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();

function expand(key, info, size) {
  let out = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  for (let i = 1; out.length < size; i++) {
    last = hmac(key, Buffer.concat([last, info, Buffer.from([i])]));
    out = Buffer.concat([out, last]);
  }
  return out.subarray(0, size);
}

function big64(number) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(number));
  return out;
}

function keyOf(line) {
  const label = (text) => Buffer.from('parley sealed 1 ' + text);
  const perKey = BigInt(line.per_key);
  let secret = expand(hmac(hex(line.salt), hex(line.shared)), Buffer.concat([
    label(line.algorithm + ' ' + line.side), Buffer.from([0]), big64(perKey),
    hex(line.context)]), 32);
  for (let i = 0n; i < BigInt(line.number) / perKey; i++) secret = expand(secret, label('next'), 32);
  const both = expand(secret, label('key'), 44);
  const nonce = Buffer.from(both.subarray(32));
  big64(line.number).forEach((byte, i) => { nonce[4 + i] ^= byte; });
  return { key: both.subarray(0, 32), nonce };
}

function answer(line) {
  const { key, nonce } = keyOf(line);
  const options = { authTagLength: 16 };
  if (line.sealed === undefined) {
    const cipher = crypto.createCipheriv(line.algorithm, key, nonce, options);
    cipher.setAAD(hex(line.beside));
    const text = Buffer.concat([cipher.update(hex(line.plain)), cipher.final()]);
    return Buffer.concat([big64(line.number), text, cipher.getAuthTag()]).toString('hex');
  }
  const sealed = hex(line.sealed);
  if (!sealed.subarray(0, 8).equals(big64(line.number))) return 'no';
  const decipher = crypto.createDecipheriv(line.algorithm, key, nonce, options);
  decipher.setAAD(hex(line.beside));
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(8, sealed.length - 16)),
      decipher.final()]).toString('hex');
  } catch (error) {
    return 'no';
  }
}

const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
process.stdout.write(lines.map((line) => answer(JSON.parse(line)) + '\n').join(''));
