import { copyRange, murmur32, NiobeError, sameRange, type ByteWriter } from '@niobe/kernel';
import type { Field } from './field.ts';
import { itemEnd } from './list.ts';
import { MERGE } from './type-table.ts';

/** Joins two lists on bytes, as `setUnion` and `append` do. Items are equal where their bytes are. */

/** Below so many items a search through all of them is faster than a table. */
const PLAIN_ITEMS_MAX = 16;

/**
 * Appends to `out` the list `a[aStart, aEnd)` and behind it the items of `b[bStart, bEnd)`: all of them, or for `setUnion` those that are
 * not there yet. Throws `OVERFLOW` where the list has more items than declared. O(bytes).
 */
export function joinLists(
  field: Field,
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
  out: ByteWriter,
): void {
  const joined = new JoinedList(field, out);
  joined.append(a, aStart, aEnd);
  const most = joined.count + countItems(field, b, bStart, bEnd);
  if (field.merge === MERGE.append) joined.append(b, bStart, bEnd);
  else joined.addMissing(b, bStart, bEnd, most);
  if (joined.count <= field.maxItems) return;
  throw new NiobeError(
    'OVERFLOW',
    `${field.name}: ${joined.count} items exceed the ${field.maxItems} declared as maxItems`,
    {
      path: field.name,
    },
  );
}

function countItems(field: Field, bytes: Uint8Array, start: number, end: number): number {
  if (field.bytes > 0) return (end - start) / field.bytes;
  let count = 0;
  for (let at = start; at < end; at = itemEnd(field, bytes, at)) count += 1;
  return count;
}

/** A list at the end of a writer. */
class JoinedList {
  count = 0;
  readonly #field: Field;
  readonly #out: ByteWriter;
  readonly #start: number;

  constructor(field: Field, out: ByteWriter) {
    this.#field = field;
    this.#out = out;
    this.#start = out.length;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#out.reserve(end - start);
    copyRange(bytes, start, end, this.#out.buffer, at);
    this.count += countItems(this.#field, bytes, start, end);
  }

  /** @param most items that there can be afterwards */
  addMissing(bytes: Uint8Array, start: number, end: number, most: number): void {
    const seen = most <= PLAIN_ITEMS_MAX ? null : this.#hashed(most);
    for (let at = start; at < end;) {
      const next = itemEnd(this.#field, bytes, at);
      const isThere = seen === null ? this.#has(bytes, at, next) : this.#isSeen(seen, bytes, at, next);
      if (!isThere) this.append(bytes, at, next);
      at = next;
    }
  }

  #has(bytes: Uint8Array, start: number, end: number): boolean {
    const { buffer, length } = this.#out;
    for (let at = this.#start; at < length;) {
      const next = itemEnd(this.#field, buffer, at);
      if (next - at === end - start && sameRange(buffer, at, bytes, start, end - start)) return true;
      at = next;
    }
    return false;
  }

  /** A table with open addressing: offset of each item that is there plus 1, by the hash of its bytes. At most half full. */
  #hashed(most: number): Uint32Array {
    const seen = new Uint32Array(2 ** Math.ceil(Math.log2(most * 2)));
    const { length } = this.#out;
    for (let at = this.#start; at < length;) {
      const next = itemEnd(this.#field, this.#out.buffer, at);
      this.#isSeen(seen, this.#out.buffer, at, next, at);
      at = next;
    }
    return seen;
  }

  /** Whether an item is in the table; if not, it is noted as the one at `offset`, by default the one that is appended next. */
  #isSeen(
    seen: Uint32Array,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number = this.#out.length,
  ): boolean {
    const { buffer } = this.#out;
    const mask = seen.length - 1;
    let slot = murmur32(bytes, start, end) & mask;
    for (; seen[slot] !== 0; slot = (slot + 1) & mask) {
      const at = this.#start + seen[slot]! - 1;
      const next = itemEnd(this.#field, buffer, at);
      if (next - at === end - start && sameRange(buffer, at, bytes, start, end - start)) return true;
    }
    seen[slot] = offset - this.#start + 1;
    return false;
  }
}
