import type { ByteWriter } from '@niobe/kernel';
import type { FieldFacts } from './field.ts';
import type { Layout } from './layout.ts';
import { readScalar, variableBytes, writeFixed } from './scalar.ts';
import type { CellRecord, ScalarValue } from './types.ts';
import { atItem, violation } from './violation.ts';
import { setU32, u32At } from './words.ts';

/**
 * Lists on bytes.
 *
 *     without null items    items
 *     with null items       u32 number of items | bitmap, 1 = null | items
 *     in the fixed area     bitmap where items may be null | items
 *
 * An item of fixed width is its bytes, zero where it is null; others have a u32 length before each, 0 where it is null.
 */

/** Where the first item of a list begins. */
export function itemsStart(field: FieldFacts, bytes: Uint8Array, start: number): number {
  if (!field.nullItems) return start;
  const count = field.variable ? u32At(bytes, start) : field.length;
  return nullsStart(field, start) + ((count + 7) >>> 3);
}

function nullsStart(field: FieldFacts, start: number): number {
  return field.variable ? start + 4 : start;
}

/** True if item `index` of the list at `start` is null. */
export function isNullItem(field: FieldFacts, bytes: Uint8Array, start: number, index: number): boolean {
  if (!field.nullItems) return false;
  return ((bytes[nullsStart(field, start) + (index >>> 3)]! >>> (index & 7)) & 1) === 1;
}

/** Where the bytes of an item begin, given where the item does. */
export function itemStart(field: FieldFacts, at: number): number {
  return field.bytes === 0 ? at + 4 : at;
}

/** Where the item at `at` ends. */
export function itemEnd(field: FieldFacts, bytes: Uint8Array, at: number): number {
  return field.bytes === 0 ? at + 4 + u32At(bytes, at) : at + field.bytes;
}

/** Writes a record as an item at the end of a writer; refuses under the name of the field. */
export type RecordWriter = (value: unknown, out: ByteWriter) => void;

/** Appends a list to `out`; throws `SCHEMA_VIOLATION` naming list or item, and the caller removes what was written. */
export function writeList(field: FieldFacts, value: unknown, out: ByteWriter, writeRecord: RecordWriter): void {
  const items = itemsOf(field, value);
  const start = out.length;
  if (field.nullItems) {
    if (field.variable) out.u32(items.length);
    const nulls = out.reserve((items.length + 7) >>> 3);
    out.buffer.fill(0, nulls, out.length);
  }
  for (const [index, item] of items.entries()) {
    const isNull = field.nullItems && (item === null || item === undefined);
    if (isNull) setNullItem(field, out.buffer, start, index);
    try {
      if (isNull) writeNullItem(field, out);
      else writeItem(field, item, out, writeRecord);
    } catch (error) {
      throw atItem(error, field.name, index);
    }
  }
}

function itemsOf(field: FieldFacts, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw violation(field.name, `not an array of ${field.declaration.type}`);
  checkCount(field, value.length);
  return value;
}

function tooMany(field: FieldFacts, count: number): Error {
  return violation(field.name, `${count} items exceed the ${field.maxItems} declared as maxItems`);
}

function writeItem(field: FieldFacts, item: unknown, out: ByteWriter, writeRecord: RecordWriter): void {
  if (field.bytes > 0) {
    const at = out.reserve(field.bytes);
    out.buffer.fill(0, at, out.length);
    writeFixed(field, out.buffer, at, item);
  } else if (field.record === null) {
    out.block(variableBytes(field, item));
  } else {
    const at = out.reserve(4);
    writeRecord(item, out);
    setU32(out.buffer, at, out.length - at - 4);
  }
}

function writeNullItem(field: FieldFacts, out: ByteWriter): void {
  const at = out.reserve(field.bytes === 0 ? 4 : field.bytes);
  out.buffer.fill(0, at, out.length);
}

function setNullItem(field: FieldFacts, bytes: Uint8Array, start: number, index: number): void {
  const at = nullsStart(field, start) + (index >>> 3);
  bytes[at] = bytes[at]! | (1 << (index & 7));
}

/** Reads the record of a body. */
export type RecordReader = (record: Layout, bytes: Uint8Array, at: number, length: number) => CellRecord;

/** The items of a checked list. */
export function readList(
  field: FieldFacts,
  bytes: Uint8Array,
  start: number,
  end: number,
  readRecord: RecordReader,
): (ScalarValue | CellRecord)[] {
  const items: (ScalarValue | CellRecord)[] = [];
  for (let at = itemsStart(field, bytes, start); at < end;) {
    const valueAt = itemStart(field, at);
    const valueEnd = itemEnd(field, bytes, at);
    if (isNullItem(field, bytes, start, items.length)) items.push(null);
    else if (field.record === null) items.push(readScalar(field, bytes, valueAt, valueEnd));
    else items.push(readRecord(field.record, bytes, valueAt, valueEnd - valueAt));
    at = valueEnd;
  }
  return items;
}

/** Throws `SCHEMA_VIOLATION` unless the list may have so many items. */
export function checkCount(field: FieldFacts, count: number): void {
  if (field.length > 0 ? count === field.length : count <= field.maxItems) return;
  throw field.length > 0 ? violation(field.name, `${count} items, not ${field.length}`) : tooMany(field, count);
}
