import { NiobeError } from '@niobe/kernel';
import type { Field } from './field.ts';
import { endWidth, eraOf, headBytes, isNullAt, variableEnd, type Layout } from './layout.ts';
import { checkList, checkZero } from './list-check.ts';
import { checkScalar, checkVarying } from './scalar.ts';
import { CELL_BYTES_MAX } from './types.ts';
import { malformed, malformedAt, violation, within } from './violation.ts';

/**
 * Says whether bytes are a body. Bodies come from the network; after this check every reader may trust its offsets, lengths and
 * values. O(length); allocates nothing, but for JSON, which is parsed.
 */

/**
 * Throws unless `bytes[at, at + length)` is a body: `MALFORMED` where its structure is broken, `SCHEMA_VIOLATION` where a value does
 * not fit its declaration, `NOT_READY` where it was written by a revision with more steps than are known here. Names the path.
 */
export function checkBody(layout: Layout, bytes: Uint8Array, at: number, length: number): void {
  if (length === 0 || at + length > bytes.length) throw malformed('a body has at least one byte');
  if (length > CELL_BYTES_MAX)
    throw new NiobeError('TOO_LARGE', `a body of ${length} bytes`, { maxBytes: CELL_BYTES_MAX });
  const steps = bytes[at]!;
  checkSteps(layout, steps);
  const era = steps < layout.from ? eraOf(layout, steps) : layout;
  if (era !== layout) checkSteps(era, steps);
  checkHead(era, steps, bytes, at, length);
  checkFixed(era, steps, bytes, at);
  if (era.variableCount[steps]! > 0) checkVariables(era, steps, bytes, at, length);
}

function checkSteps(layout: Layout, steps: number): void {
  if (steps > layout.steps)
    throw new NiobeError('NOT_READY', `a body of ${steps} steps where ${layout.steps} are known: a newer revision`);
  if (steps < layout.leastSteps) throw violation(missingField(layout, steps).name, 'a required field is missing');
}

/** The first field without which a body of so many steps is not whole. */
function missingField(layout: Layout, steps: number): Field {
  return layout.fields.find(
    (field) => field.index >= layout.fieldCount[steps]! && !field.optional && field.given === null,
  )!;
}

function checkHead(layout: Layout, steps: number, bytes: Uint8Array, at: number, length: number): void {
  const variables = layout.variableCount[steps]!;
  const head = headBytes(layout, steps, endWidth(length));
  if (head > length || (variables === 0 && head !== length))
    throw malformed(`a body of ${length} bytes with a head of ${head}`);
  const spare = layout.bitmapBytes[steps]! * 8 - layout.optionalCount[steps]!;
  if (spare > 0 && bytes[at + layout.bitmapBytes[steps]!]! >>> (8 - spare) !== 0)
    throw malformed('nulls beyond the last field');
}

function checkFixed(layout: Layout, steps: number, bytes: Uint8Array, at: number): void {
  const fixedArea = at + 1 + layout.bitmapBytes[steps]!;
  for (let i = 0; i < layout.restricted.length; i++) {
    const field = layout.restricted[i]!;
    if (field.step > steps) return;
    const valueAt = fixedArea + field.fixedOffset;
    const valueEnd = valueAt + field.fixedBytes;
    if (isNullAt(field, bytes, at)) checkZero(field, bytes, valueAt, valueEnd);
    else if (field.array) checkList(field, bytes, valueAt, valueEnd, checkBody);
    else if (field.restricted) checkScalar(field, bytes, valueAt, valueEnd);
  }
}

function checkVariables(layout: Layout, steps: number, bytes: Uint8Array, at: number, length: number): void {
  let start = at + headBytes(layout, steps, endWidth(length));
  for (let rank = 0; rank < layout.variableCount[steps]!; rank++) {
    const field = layout.variables[rank]!;
    const end = variableEnd(layout, field, bytes, at, length);
    if (end < start || end > at + length) throw malformedAt(field.name, `ends at ${end - at} of ${length}`);
    if (isNullAt(field, bytes, at)) {
      if (start !== end) throw malformedAt(field.name, 'a null with bytes');
    } else {
      checkVariable(field, bytes, start, end);
    }
    start = end;
  }
  if (start !== at + length) throw malformed(`a body of ${length} bytes whose fields end at ${start - at}`);
}

function checkVariable(field: Field, bytes: Uint8Array, start: number, end: number): void {
  if (field.array) checkList(field, bytes, start, end, checkBody);
  else if (field.record === null) checkVarying(field, bytes, start, end);
  else checkRecord(field, field.record, bytes, start, end);
}

function checkRecord(field: Field, record: Layout, bytes: Uint8Array, start: number, end: number): void {
  try {
    checkBody(record, bytes, start, end - start);
  } catch (error) {
    throw within(error, field.name);
  }
}
