import { NiobeError } from '@niobe/kernel';
import { endWidth, headBytes, isNullAt, variableEnd, type Field, type Layout } from './layout.ts';
import { checkScalar } from './scalar.ts';
import { CELL_BYTES_MAX } from './types.ts';
import { malformed, violation } from './violation.ts';
import { u32At } from './words.ts';

/**
 * Says whether bytes are a body. Bodies come from the network; after this check every reader may trust its offsets, lengths and
 * values. O(length), allocates nothing.
 */

/**
 * Throws unless `bytes[at, at + length)` is a body: `MALFORMED` where its structure is broken, `SCHEMA_VIOLATION` where a value does
 * not fit its declaration, `NOT_READY` where it was written by a revision with more fields than are known here.
 */
export function checkBody(layout: Layout, bytes: Uint8Array, at: number, length: number): void {
  if (length === 0 || at + length > bytes.length) throw malformed('a body has at least one byte');
  if (length > CELL_BYTES_MAX)
    throw new NiobeError('TOO_LARGE', `a body of ${length} bytes`, { maxBytes: CELL_BYTES_MAX });
  const count = bytes[at]!;
  checkFieldCount(layout, count);
  checkHead(layout, count, bytes, at, length);
  checkFixed(layout, count, bytes, at);
  if (layout.variableCount[count]! > 0) checkVariables(layout, count, bytes, at, length);
}

function checkFieldCount(layout: Layout, count: number): void {
  if (count > layout.fieldCount) {
    throw new NiobeError(
      'NOT_READY',
      `a body of ${count} fields where ${layout.fieldCount} are known: a newer revision`,
    );
  }
  if (count < layout.leastFields) {
    throw violation(layout.fields[layout.leastFields - 1]!.name, 'a required field is missing');
  }
}

function checkHead(layout: Layout, count: number, bytes: Uint8Array, at: number, length: number): void {
  const variables = layout.variableCount[count]!;
  const width = endWidth(length);
  const head = headBytes(layout, count, width);
  if (head > length || (variables === 0 && head !== length))
    throw malformed(`a body of ${length} bytes with a head of ${head}`);
  const spare = layout.bitmapBytes[count]! * 8 - layout.optionalCount[count]!;
  if (spare > 0 && bytes[at + layout.bitmapBytes[count]!]! >>> (8 - spare) !== 0)
    throw malformed('nulls beyond the last field');
}

function checkFixed(layout: Layout, count: number, bytes: Uint8Array, at: number): void {
  const fixedArea = at + 1 + layout.bitmapBytes[count]!;
  for (let i = 0; i < layout.restricted.length; i++) {
    const field = layout.restricted[i]!;
    if (field.index >= count) return;
    const valueAt = fixedArea + field.fixedOffset;
    if (isNullAt(field, bytes, at)) checkZero(field, bytes, valueAt);
    else checkScalar(field, bytes, valueAt, valueAt + field.bytes);
  }
}

function checkVariables(layout: Layout, count: number, bytes: Uint8Array, at: number, length: number): void {
  let start = at + headBytes(layout, count, endWidth(length));
  for (let rank = 0; rank < layout.variableCount[count]!; rank++) {
    const field = layout.variables[rank]!;
    const end = variableEnd(layout, field, bytes, at, length);
    if (end < start || end > at + length) throw malformed(`${field.name}: ends at ${end - at} of ${length}`);
    if (isNullAt(field, bytes, at)) {
      if (start !== end) throw malformed(`${field.name}: a null with bytes`);
    } else if (field.array) {
      checkArray(field, bytes, start, end);
    } else {
      checkScalar(field, bytes, start, end);
    }
    start = end;
  }
  if (start !== at + length) throw malformed(`a body of ${length} bytes whose fields end at ${start - at}`);
}

function checkZero(field: Field, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < field.bytes; i++) if (bytes[at + i] !== 0) throw malformed(`${field.name}: a null with a value`);
}

function checkArray(field: Field, bytes: Uint8Array, start: number, end: number): void {
  let items = 0;
  for (let at = start; at < end; items++) {
    const itemAt = field.bytes === 0 ? at + 4 : at;
    if (itemAt > end) throw malformed(`${field.name}: an item without its length`);
    const itemEnd = itemAt + (field.bytes === 0 ? u32At(bytes, at) : field.bytes);
    if (itemEnd > end) throw malformed(`${field.name}: an item passes the end of its array`);
    checkScalar(field, bytes, itemAt, itemEnd);
    at = itemEnd;
  }
  if (items > field.maxItems)
    throw violation(field.name, `${items} items exceed the ${field.maxItems} declared as maxItems`);
}
