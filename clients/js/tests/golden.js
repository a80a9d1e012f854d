// The golden vectors of docs/protocols/parley.md, read from where the C++ tests have them.
import {readFileSync} from 'node:fs';

const file = new URL('../../../parley/wire/testing/golden_parley.h', import.meta.url);

export const fromHex = (hex) => {
  const digits = hex.replaceAll(' ', '');
  return Uint8Array.from(digits.match(/../g) ?? [], (each) => parseInt(each, 16));
};
export const toHex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

// By name, without "golden_parley_".
export const golden = Object.fromEntries(
  Array.from(readFileSync(file, 'utf8').matchAll(/golden_parley_(\w+) =\s*((?:"[^"]*"\s*)+);/g),
    ([, name, texts]) => [name, fromHex(texts.replaceAll(/["\n]/g, ' '))]));

export const joined = (...pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece]));
export const bytesOf = (text) => new TextEncoder().encode(text);
export const textOf = (bytes) => new TextDecoder().decode(bytes);
