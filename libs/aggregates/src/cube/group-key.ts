import { ByteWriter } from '@niobe/kernel';
import type { Dimension } from './cube.ts';

/**
 * The key of a group's cell: the pane's number, then each dimension with its length, so that no two groups meet whatever their
 * values hold:
 *
 *     29123456;6:85123A14:United Kingdom-         pane 29123456, '85123A', 'United Kingdom', null
 *
 * A value is written as `<bytes of its text>:<text>`, null as `-`, which no length begins with: null differs from ''. The text of an
 * integer, of a scaled decimal and of a timestamp is its digits, of a bool `0` or `1`. The whole is valid UTF-8.
 */

/** A value of a dimension as events and cells hold it: decimals scaled, timestamps in Unix ms. */
export type DimensionValue = string | number | bigint | boolean | null;

/** `;` and at most 16 characters of a pane's number. */
const PANE_BYTES_MAX = 17;
/** `65536:` */
const LENGTH_BYTES_MAX = 6;

const COLON = 58;
const SEMICOLON = 59;
const MINUS = 45;
const ZERO = 48;
const ASCII_LIMIT = 0x80;

const encoder = new TextEncoder();

/** Bound of the key of a group of these dimensions. */
export function longestKeyBytes(dimensions: readonly Dimension[]): number {
  return dimensions.reduce((bytes, { textBytesMax }) => bytes + LENGTH_BYTES_MAX + textBytesMax, PANE_BYTES_MAX);
}

/** Appends the digits of a safe integer. */
function appendInteger(out: ByteWriter, value: number): void {
  if (value < 0) {
    out.u8(MINUS);
    value = -value;
  }
  const digits = digitsOf(value);
  const at = out.reserve(digits);
  const bytes = out.buffer;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = Math.floor(value / 10);
    bytes[i] = ZERO + (value - rest * 10);
    value = rest;
  }
}

/** Appends `<pane>;`. */
export function appendPane(out: ByteWriter, pane: number): void {
  appendInteger(out, pane);
  out.u8(SEMICOLON);
}

/** Appends one dimension with its length. O(text), allocates nothing for ASCII text and safe integers. */
export function appendDimension(out: ByteWriter, value: DimensionValue): void {
  if (value === null) out.u8(MINUS);
  else if (typeof value === 'string') appendText(out, value);
  else if (typeof value === 'boolean') appendText(out, value ? '1' : '0');
  else if (typeof value === 'bigint') appendText(out, String(value));
  else appendNumber(out, value);
}

function appendNumber(out: ByteWriter, value: number): void {
  appendInteger(out, digitsOf(Math.abs(value)) + (value < 0 ? 1 : 0));
  out.u8(COLON);
  appendInteger(out, value);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits += 1;
  return digits;
}

function appendText(out: ByteWriter, text: string): void {
  const start = out.length;
  const length = text.length;
  appendInteger(out, length);
  out.u8(COLON);
  const at = out.reserve(length);
  const bytes = out.buffer;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ASCII_LIMIT) {
      out.truncate(start);
      return appendWideText(out, text);
    }
    bytes[at + i] = code;
  }
}

function appendWideText(out: ByteWriter, text: string): void {
  const utf8 = encoder.encode(text);
  appendInteger(out, utf8.length);
  out.u8(COLON);
  out.raw(utf8);
}

/** Walks the dimensions of a key in its bytes, without allocating: `start`, then `next` once for each dimension. */
export class GroupKeyReader {
  /** Of the present dimension: null, else its text is `[textStart, textEnd)`. */
  isNull = true;
  textStart = 0;
  textEnd = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Goes behind the pane of the key that begins at `at`. */
  start(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
    while (bytes[this.#at] !== SEMICOLON) this.#at += 1;
    this.#at += 1;
  }

  next(): void {
    const bytes = this.#bytes;
    this.isNull = bytes[this.#at] === MINUS;
    if (this.isNull) {
      this.#at += 1;
      return;
    }
    let length = 0;
    for (; bytes[this.#at] !== COLON; this.#at++) length = length * 10 + (bytes[this.#at]! - ZERO);
    this.textStart = this.#at + 1;
    this.#at = this.textEnd = this.textStart + length;
  }
}

/** An integer from digits in `bytes[start, end)`; a bigint where it is not safe. */
export function integerAt(bytes: Uint8Array, start: number, end: number): number | bigint {
  const negative = bytes[start] === MINUS;
  let value = 0;
  for (let i = negative ? start + 1 : start; i < end; i++) value = value * 10 + (bytes[i]! - ZERO);
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value;
  return BigInt(decoder.decode(bytes.subarray(start, end)));
}

/** The key of one group, for queries that ask for it by name. */
export function groupKey(pane: number, values: readonly DimensionValue[]): string {
  const out = new ByteWriter(KEY_TEXT_BYTES_MAX);
  appendPane(out, pane);
  for (const value of values) appendDimension(out, value);
  return decoder.decode(out.peek());
}

const decoder = new TextDecoder();
/** A key of declared dimensions is far below; a query may name longer values, which then are nowhere. */
const KEY_TEXT_BYTES_MAX = 1024 * 1024;
