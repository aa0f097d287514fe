import type { FieldFacts } from './field.ts';
import type { Layout } from './layout.ts';
import { checkCount, isNullItem, itemEnd, itemsStart, itemStart } from './list.ts';
import { checkScalar, checkVarying } from './scalar.ts';
import { atItem, malformedAt, within } from './violation.ts';
import { u32At } from './words.ts';

/** Says whether bytes are a list; see `list.ts` for how one lies. What is refused names the item. */

/** Throws unless bytes are the body of a record. */
export type RecordCheck = (record: Layout, bytes: Uint8Array, at: number, length: number) => void;

/** Throws unless `bytes[start, end)` is a list of the field. O(length), allocates nothing. */
export function checkList(
  field: FieldFacts,
  bytes: Uint8Array,
  start: number,
  end: number,
  checkRecord: RecordCheck,
): void {
  const first = field.nullItems ? checkNulls(field, bytes, start, end) : start;
  const count = field.restricted
    ? checkItems(field, bytes, start, first, end, checkRecord)
    : (end - first) / field.bytes;
  if (!Number.isInteger(count)) throw malformedAt(field.name, 'an item passes the end of its array');
  checkCount(field, count);
  if (field.nullItems && field.variable && count !== u32At(bytes, start))
    throw malformedAt(field.name, `${count} items where it counts ${u32At(bytes, start)}`);
}

/** Throws unless a bitmap of nulls stands before the items; returns where they begin. */
function checkNulls(field: FieldFacts, bytes: Uint8Array, start: number, end: number): number {
  if (field.variable && end - start < 4) throw malformedAt(field.name, 'a list without the number of its items');
  const count = field.variable ? u32At(bytes, start) : field.length;
  checkCount(field, count);
  const first = itemsStart(field, bytes, start);
  if (first > end) throw malformedAt(field.name, 'a list without the bitmap of its nulls');
  if ((count & 7) > 0 && bytes[first - 1]! >>> (count & 7) !== 0)
    throw malformedAt(field.name, 'nulls beyond the last item');
  return first;
}

/** Returns how many there are. */
function checkItems(
  field: FieldFacts,
  bytes: Uint8Array,
  start: number,
  first: number,
  end: number,
  checkRecord: RecordCheck,
): number {
  if (field.nullItems || field.record !== null) return checkMixed(field, bytes, start, first, end, checkRecord);
  return field.bytes > 0 ? checkFixed(field, bytes, first, end) : checkVaried(field, bytes, first, end);
}

function checkFixed(field: FieldFacts, bytes: Uint8Array, first: number, end: number): number {
  let index = 0;
  try {
    for (let at = first; at + field.bytes <= end; at += field.bytes, index++)
      checkScalar(field, bytes, at, at + field.bytes);
  } catch (error) {
    throw atItem(error, field.name, index);
  }
  return (end - first) / field.bytes;
}

function checkVaried(field: FieldFacts, bytes: Uint8Array, first: number, end: number): number {
  let index = 0;
  try {
    for (let at = first; at < end; index++) {
      const itemAt = at + 4;
      if (itemAt > end) throw malformedAt(field.name, 'without its length');
      at = itemAt + u32At(bytes, at);
      if (at > end) throw malformedAt(field.name, 'passes the end of its array');
      checkVarying(field, bytes, itemAt, at);
    }
  } catch (error) {
    throw atItem(error, field.name, index);
  }
  return index;
}

/** Items of which some may be null, and records. */
function checkMixed(
  field: FieldFacts,
  bytes: Uint8Array,
  start: number,
  first: number,
  end: number,
  checkRecord: RecordCheck,
): number {
  let index = 0;
  try {
    for (let at = first; at < end; index++) {
      const itemAt = itemStart(field, at);
      if (itemAt > end) throw malformedAt(field.name, 'without its length');
      at = itemEnd(field, bytes, at);
      if (at > end) throw malformedAt(field.name, 'passes the end of its array');
      if (isNullItem(field, bytes, start, index)) checkZero(field, bytes, itemAt, at);
      else if (field.record === null) checkScalar(field, bytes, itemAt, at);
      else checkNested(field, field.record, bytes, itemAt, at, checkRecord);
    }
  } catch (error) {
    throw atItem(error, field.name, index);
  }
  return index;
}

function checkNested(
  field: FieldFacts,
  record: Layout,
  bytes: Uint8Array,
  start: number,
  end: number,
  checkRecord: RecordCheck,
): void {
  try {
    checkRecord(record, bytes, start, end - start);
  } catch (error) {
    throw within(error, field.name);
  }
}

/** Throws unless the bytes of a null are zeros, or none where they vary. */
export function checkZero(field: FieldFacts, bytes: Uint8Array, start: number, end: number): void {
  if (field.bytes === 0 && start !== end) throw malformedAt(field.name, 'a null with bytes');
  for (let at = start; at < end; at++) if (bytes[at] !== 0) throw malformedAt(field.name, 'a null with a value');
}
