import { NiobeError } from '@niobe/kernel';

/**
 * JSON of outside. `JSON.parse` is fast but its errors name a position only sometimes and quote the text, which must not reach a log;
 * so what it refuses is scanned again, iteratively, for the place of the first error (RFC 8259).
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** The value of `bytes`. Throws `MALFORMED` with `position`, counted in characters from 0. O(n). */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(decodeUtf8(bytes));
}

/** The value of `text`. Throws `MALFORMED` with `position`. O(n). */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const position = firstJsonError(text);
    const what = position >= text.length ? 'ends too early' : 'has an unexpected character';
    throw new NiobeError('MALFORMED', `the JSON ${what} at position ${position}`, { position });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new NiobeError('MALFORMED', 'the JSON is not valid UTF-8', { position: firstInvalidUtf8(bytes) });
  }
}

/** Halves towards the longest prefix that decodes: a byte position. */
function firstInvalidUtf8(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (decodesAsPrefix(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function decodesAsPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** What may come next: a value, `]` or a value, a key, `}` or a key, a colon, what follows a value. */
type Expected = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'after';

const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y; // oxlint-disable-line no-control-regex -- control characters are what a JSON text may not hold
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Position of the first character that cannot continue a JSON text; the length of `text` if it only ends too early. O(n). */
export function firstJsonError(text: string): number {
  const containers: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = endOf(BLANK, text, 0);
  while (at < text.length) {
    if (expected === 'after' && containers.length === 0) return at;
    const next = step(text, at, expected, containers);
    if (next.end === FAILED) return next.at;
    expected = next.expected;
    at = endOf(BLANK, text, next.end);
  }
  return at;
}

const FAILED = -1;

interface Step {
  readonly end: number;
  readonly expected: Expected;
  /** Where it failed, when `end` is FAILED. */
  readonly at: number;
}

const reached = (end: number, expected: Expected): Step => ({ end, expected, at: end });
const failed = (at: number): Step => ({ end: FAILED, expected: 'after', at });

function step(text: string, at: number, expected: Expected, containers: ('{' | '[')[]): Step {
  const sign = text[at];
  if (expected === 'colon') return sign === ':' ? reached(at + 1, 'value') : failed(at);
  if (expected === 'after') return afterValue(sign, at, containers);
  const closing = (expected === 'keyOrEnd' && sign === '}') || (expected === 'valueOrEnd' && sign === ']');
  if (closing) {
    containers.pop();
    return reached(at + 1, 'after');
  }
  const wantsKey = expected === 'key' || expected === 'keyOrEnd';
  if (sign === '"') return afterString(text, at, wantsKey ? 'colon' : 'after');
  if (wantsKey) return failed(at);
  if (sign === '{' || sign === '[') {
    containers.push(sign);
    return reached(at + 1, sign === '{' ? 'keyOrEnd' : 'valueOrEnd');
  }
  const end = endOf(LITERAL, text, at);
  return end === at ? failed(at) : reached(end, 'after');
}

function afterValue(sign: string | undefined, at: number, containers: ('{' | '[')[]): Step {
  const container = containers.at(-1);
  if (sign === ',') return reached(at + 1, container === '{' ? 'key' : 'value');
  if (sign !== (container === '{' ? '}' : ']')) return failed(at);
  containers.pop();
  return reached(at + 1, 'after');
}

function afterString(text: string, start: number, expected: Expected): Step {
  let at = start + 1;
  for (;;) {
    at = endOf(PLAIN, text, at);
    if (text[at] === '"') return reached(at + 1, expected);
    const end = endOf(ESCAPE, text, at);
    if (end === at) return failed(at);
    at = end;
  }
}

/** Where the match of a sticky `pattern` at `at` ends; `at` when there is none. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
