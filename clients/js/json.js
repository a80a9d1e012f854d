// JSON with large integers. A Number holds them exactly up to 2^53 only: what comes and is larger
// becomes a BigInt, and BigInts are written as the integers they are.
//
// There is no standard way to both in all engines that we run in. So an integer that JSON.parse
// would round passes it as a string, behind a mark that the text does not have elsewhere, and so
// does a BigInt that is written.

const dot = '\ue000';  // of private use: rare, but it may be there
// More of them in a row than there are in all of the text, however they are written.
const markFor = (text) => dot.repeat((text.match(/\ue000|\\ue000/gi)?.length ?? 0) + 1);

// To read one of more digits takes time that nobody bounds: such a one is a Number.
const mostDigits = 1_000;
const numbers = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const isLarge = (token) => token.length <= mostDigits && /^-?\d{16,}$/.test(token) &&
  !Number.isSafeInteger(Number(token));

// Behind the string that begins at `open`, or the end of the text.
function endOfString(text, open) {
  for (let at = open + 1; ; ++at) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') ++slashes;
    if (slashes % 2 === 0) return at + 1;
  }
}

// The text with `change(token, ...)` in place of each number outside of strings.
function changeNumbers(text, change) {
  const pieces = [];
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('"', at);
    const open = next < 0 ? text.length : next;
    const end = endOfString(text, open);
    pieces.push(text.slice(at, open).replace(numbers, change), text.slice(open, end));
    at = end;
  }
  return pieces.join('');
}

// Throws a SyntaxError for what is no JSON.
export function parseJson(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const mark = markFor(text);
  // A number before a colon is a mistake, and is to remain one.
  const marked = changeNumbers(text, (token, at, piece) => (
    isLarge(token) && !/^\s*:/.test(piece.slice(at + token.length)) ? `"${mark}${token}"` : token));
  return JSON.parse(marked, (_, value) => (typeof value === 'string' && value.startsWith(mark)
    ? BigInt(value.slice(mark.length)) : value));
}

// Undefined for what JSON does not have; throws a TypeError for what goes in circles.
export function writeJson(value) {
  let hasBigInt = false;
  const writeWith = (mark) => JSON.stringify(value, (_, each) => {
    if (typeof each !== 'bigint') return each;
    hasBigInt = true;
    return `${mark}${each}`;
  });
  let text;
  try {
    return JSON.stringify(value);
  } catch (error) {
    text = writeWith('');
    if (!hasBigInt) throw error;
  }
  const mark = markFor(text);
  return writeWith(mark).replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}
