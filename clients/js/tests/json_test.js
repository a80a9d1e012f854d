// JSON with large integers.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {parseJson, writeJson} from '../json.js';

test('integers that a Number would round come as BigInt, all others as before', () => {
  for (const text of ['0', '-0', '9007199254740991', '-9007199254740991', '1.5', '1e20',
    '12345678901234567.5', '1234567890123456789e2', '0.1234567890123456789', 'null',
    '"9007199254740993"', '{"9007199254740993":1}', '[]']) {
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
  }
  for (const text of ['9007199254740992', '9007199254740993', '-9007199254740992',
    '9223372036854775807', '-9223372036854775808', '18446744073709551615']) {
    assert.equal(parseJson(text), BigInt(text));
    assert.deepEqual(parseJson(` {"a" : [ ${text} ] } `), {a: [BigInt(text)]});
  }
});

test('what is in a string stays there, whatever it looks like', () => {
  const large = '9007199254740993';
  for (const string of [large, `"${large}"`, '\\', '\\"', `\\\\"${large}`, '\ue000', `\ue000${large}`,
    `\ue000\ue000${large}`]) {
    const value = {[string]: string, large: BigInt(large)};
    assert.deepEqual(parseJson(writeJson(value)), value);
    // The same with every character written as a number.
    const escaped = [...JSON.stringify(string).slice(1, -1)].map(
      (c) => (c > '~' ? `\\u${c.charCodeAt(0).toString(16).toUpperCase()}` : c)).join('');
    assert.deepEqual(parseJson(`["${escaped}",${large}]`), [string, BigInt(large)]);
  }
});

test('what is no JSON is none with large integers either', () => {
  const large = '9007199254740993';
  for (const text of [`0${large}`, `-`, `--${large}`, `${large}x`, `${large}.`, `"${large}`, `[${large}`,
    `${large} ${large}`, `{${large}:1}`, `"${'\\"'.repeat(100_000)}${large}`]) {
    assert.throws(() => parseJson(text), SyntaxError, text.slice(0, 50));
  }
});

test('an integer of more than a thousand digits is a Number', () => {
  assert.equal(parseJson('9'.repeat(1_000)), BigInt('9'.repeat(1_000)));
  assert.equal(parseJson('9'.repeat(1_001)), Infinity);
});

test('BigInts are written as integers, and nothing else is', () => {
  assert.equal(writeJson(5n), '5');
  assert.equal(writeJson([1n, '1', {a: -18446744073709551615n}]),
    '[1,"1",{"a":-18446744073709551615}]');
  assert.equal(writeJson(undefined), undefined);
  const round = {};
  round.round = round;
  assert.throws(() => writeJson(round), TypeError);
  assert.throws(() => writeJson({n: 1n, round}), TypeError);
});
