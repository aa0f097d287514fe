import { JSON_NESTING_MAX } from './types.ts';
import { isUtf8, textAt } from './utf8.ts';
import { violation } from './violation.ts';

/**
 * JSON (RFC 8259) as it stands in a cell: what JavaScript can hold and give back, nested at most {@link JSON_NESTING_MAX} deep, without
 * halves of surrogate pairs.
 */

/** The text of a value; throws `SCHEMA_VIOLATION` at `path` where JSON has no such value. */
export function jsonText(path: string, value: unknown, depth: number = 0): string {
  if (depth > JSON_NESTING_MAX) throw violation(path, `JSON is nested at most ${JSON_NESTING_MAX} deep`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return textOf(path, value);
  if (typeof value === 'number') return numberText(path, value);
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(path, item, depth + 1)).join(',')}]`;
  if (!isPlain(value)) throw violation(path, 'JSON has no such value');
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${textOf(path, name)}:${jsonText(path, member, depth + 1)}`).join(',')}}`;
}

function textOf(path: string, text: string): string {
  if (!text.isWellFormed()) throw violation(path, 'a lone surrogate is no text');
  return JSON.stringify(text);
}

/** With the sign of a zero, which `JSON.stringify` leaves out. */
function numberText(path: string, value: number): string {
  if (!Number.isFinite(value)) throw violation(path, 'JSON has finite numbers only');
  return Object.is(value, -0) ? '-0' : String(value);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * What is wrong with `bytes[start, end)` as JSON, or null. O(n). The text is parsed once depth and encoding are known to be safe, because
 * only the parser of the language says what it will give back.
 */
export function jsonProblem(bytes: Uint8Array, start: number, end: number): string | null {
  if (!isUtf8(bytes, start, end)) return 'JSON that is not UTF-8';
  if (nesting(bytes, start, end) > JSON_NESTING_MAX) return `JSON nested more than ${JSON_NESTING_MAX} deep`;
  try {
    return holds(JSON.parse(textAt(bytes, start, end)))
      ? null
      : 'JSON with half of a surrogate pair or an infinite number';
  } catch {
    return 'a text that is not JSON';
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ in this bit only. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Deepest nesting of brackets outside of texts. */
function nesting(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if ((byte | BRACE_BIT) === OPENING) deepest = Math.max(deepest, ++depth);
    else if ((byte | BRACE_BIT) === CLOSING) depth -= 1;
  }
  return deepest;
}

/** Whether everything in a parsed value can be written again. Its nesting is bounded. */
function holds(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && holds(member));
}
