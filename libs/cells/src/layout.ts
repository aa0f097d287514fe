import { describeField, placeField, type Field, type FieldFacts, type Place } from './field.ts';
import { stepsOf, type Step } from './steps.ts';
import type { FieldDeclaration, FieldDeclarations } from './types.ts';
import { u16At, u32At } from './words.ts';

/**
 * Where each field of a body lies.
 *
 *     u8 number of steps n | null bitmap | fixed area | end offsets | variable area
 *
 * 1. `n` is the number of steps the body was written with: each field is a step, and each widening of one (see `steps.ts`). A revision
 *    only appends steps, so `n` alone says how the body is laid out, and older bodies stay readable as they are.
 * 2. The bitmap has one bit per optional field, 1 = null. Bytes of a null are zero, so that equal records are equal bytes.
 * 3. The fixed area holds values of known width, and lists of them of known length, without gaps, in order of their steps.
 * 4. Text, bytes, JSON, records and other lists are variable: each has an end offset, counted from the start of the body; it begins
 *    where the one before ends. Offsets are u16 in a body below 64 KiB, else u32.
 * 5. A record is a body of the same form with the layout of its fields. For lists see `list.ts`.
 *
 * An **era** is a run of steps of which only the first may widen a field or add one with a default. A {@link Layout} reads the bodies of
 * one era as they are: what was added within it is null in those written before. Bodies of eras before are read through the layout
 * that {@link eraOf} gives; `renew.ts` brings their values into the present form.
 */

/** Bodies from this length on have u32 end offsets. */
export const WIDE_BODY_BYTES = 0x1_0000;

/** The places of all fields, for bodies of one era. */
export interface Layout {
  /** By index, which is the order of declaration. */
  readonly fields: readonly Field[];
  /** In the order of their steps, in which a body holds them. */
  readonly placed: readonly Field[];
  /** Steps of the bodies that are written now. */
  readonly steps: number;
  /** First step of the era: bodies of fewer steps have another layout, see {@link eraOf}. */
  readonly from: number;
  /** Fewest steps of a body: up to the last field that must be in it. */
  readonly leastSteps: number;
  /** By number of steps: how many fields a body knows, which are the first ones. */
  readonly fieldCount: Uint8Array;
  /** By number of steps: bytes of the bitmap. */
  readonly bitmapBytes: Uint8Array;
  /** By number of steps: bytes of the fixed area. */
  readonly fixedBytes: Uint32Array;
  /** By number of steps: how many are variable. */
  readonly variableCount: Uint8Array;
  /** By number of steps: how many are optional. */
  readonly optionalCount: Uint8Array;
  /** By rank. */
  readonly variables: readonly Field[];
  /** Fixed fields of which not all bytes are a value, in order of their steps. */
  readonly restricted: readonly Field[];
  /** The layout of the era before; null for the first. Made when asked for. */
  past(): Layout | null;
}

/** Lays out the fields of a valid declaration. */
export function layOut(fields: FieldDeclarations): Layout {
  const steps = stepsOf(fields);
  return layOutEra({ entries: Object.entries(fields), steps }, steps.length, true);
}

/** A declaration and the steps it came by. */
interface Declared {
  readonly entries: readonly (readonly [string, FieldDeclaration])[];
  readonly steps: readonly Step[];
}

/** The layout of bodies with `last` steps, and of those before up to the start of the era. */
function layOutEra(declared: Declared, last: number, isPresent: boolean): Layout {
  const { steps } = declared;
  const newest = newestSteps(steps, last);
  const counts = new Counts(last);
  const fields: Field[] = [];
  for (let number = 1; number <= last; number++) {
    const step = steps[number - 1]!;
    counts.begin(number, step);
    if (newest[step.index] !== number) continue;
    const facts = factsAt(declared, step, isPresent);
    const field = placeField(facts, counts.placeOf(number, facts));
    fields[step.index] = field;
    counts.add(number, field);
  }
  const { fieldCount, bitmapBytes, fixedBytes, variableCount, optionalCount } = counts;
  const placed = fields.toSorted((a, b) => a.step - b.step);
  const from = eraStart(declared, last);
  let past: Layout | null | undefined = from === 0 ? null : undefined;
  return {
    fields,
    placed,
    steps: last,
    from,
    leastSteps: leastSteps(steps, fields),
    fieldCount,
    bitmapBytes,
    fixedBytes,
    variableCount,
    optionalCount,
    variables: placed.filter((field) => field.variable),
    restricted: placed.filter((field) => !field.variable && (field.optional || field.restricted)),
    past: () => (past === undefined ? (past = layOutEra(declared, from - 1, false)) : past),
  };
}

/** The field of a step, in the form that the step gave it. */
function factsAt({ entries }: Declared, step: Step, isPresent: boolean): FieldFacts {
  const [name, { optional: _, ...declaration }] = entries[step.index]!;
  const form = { ...declaration, type: step.type, ...(step.optional && { optional: true as const }) };
  const record = form.fields === undefined ? null : layOut(form.fields);
  return describeField(step.index, name, form, record, isPresent);
}

/** The last step up to `last` that changes how bodies before it are read. */
function eraStart({ entries, steps }: Declared, last: number): number {
  for (let number = last; number > 0; number--) {
    const { index, isWidening } = steps[number - 1]!;
    if (isWidening || entries[index]![1].default !== undefined) return number;
  }
  return 0;
}

/** By index of the field: its newest step up to `last`. */
function newestSteps(steps: readonly Step[], last: number): number[] {
  const newest: number[] = [];
  for (let number = 1; number <= last; number++) newest[steps[number - 1]!.index] = number;
  return newest;
}

/** Up to the step that brought the last field without which a body is not whole. */
function leastSteps(steps: readonly Step[], fields: readonly Field[]): number {
  let least = 0;
  for (const [before, { index, isWidening }] of steps.entries()) {
    const field = fields[index];
    if (field === undefined || isWidening || field.optional || field.declaration.default !== undefined) continue;
    least = before + 1;
  }
  return least;
}

/** Counts by number of steps, filled step after step. */
class Counts {
  readonly fieldCount: Uint8Array;
  readonly bitmapBytes: Uint8Array;
  readonly fixedBytes: Uint32Array;
  readonly variableCount: Uint8Array;
  readonly optionalCount: Uint8Array;

  constructor(steps: number) {
    this.fieldCount = new Uint8Array(steps + 1);
    this.bitmapBytes = new Uint8Array(steps + 1);
    this.fixedBytes = new Uint32Array(steps + 1);
    this.variableCount = new Uint8Array(steps + 1);
    this.optionalCount = new Uint8Array(steps + 1);
  }

  begin(number: number, { isWidening }: Step): void {
    for (const counts of [this.bitmapBytes, this.fixedBytes, this.variableCount, this.optionalCount])
      counts[number] = counts[number - 1]!;
    this.fieldCount[number] = this.fieldCount[number - 1]! + (isWidening ? 0 : 1);
  }

  placeOf(number: number, { optional, variable }: FieldFacts): Place {
    return {
      step: number,
      nullBit: optional ? this.optionalCount[number]! : -1,
      fixedOffset: this.fixedBytes[number]!,
      rank: variable ? this.variableCount[number]! : -1,
    };
  }

  add(number: number, { optional, variable, fixedBytes }: FieldFacts): void {
    if (optional) this.optionalCount[number]! += 1;
    if (variable) this.variableCount[number]! += 1;
    this.fixedBytes[number]! += fixedBytes;
    this.bitmapBytes[number] = (this.optionalCount[number]! + 7) >>> 3;
  }
}

/** The layout that bodies of `steps` steps have; those of more than are known have none. O(eras). */
export function eraOf(layout: Layout, steps: number): Layout {
  let era = layout;
  while (steps < era.from) era = era.past()!;
  return era;
}

/** Bytes of an end offset in a body of `length` bytes. */
export function endWidth(length: number): number {
  return length < WIDE_BODY_BYTES ? 2 : 4;
}

/** Bytes before the end offsets of a body with `steps` steps. */
export function fixedEnd(layout: Layout, steps: number): number {
  return 1 + layout.bitmapBytes[steps]! + layout.fixedBytes[steps]!;
}

/** Bytes of a body with `steps` steps before its variable area, with end offsets of `width` bytes. */
export function headBytes(layout: Layout, steps: number, width: number): number {
  return fixedEnd(layout, steps) + layout.variableCount[steps]! * width;
}

/** Bytes of a whole body whose variable area has `variableBytes`. */
export function bodyBytes(layout: Layout, steps: number, variableBytes: number): number {
  const narrow = headBytes(layout, steps, 2) + variableBytes;
  return narrow < WIDE_BODY_BYTES ? narrow : headBytes(layout, steps, 4) + variableBytes;
}

/** True where `field` of the body at `at`, of the field's era, is null, also because the body is older than the field. */
export function isNullAt(field: Field, bytes: Uint8Array, at: number): boolean {
  if (field.step > bytes[at]!) return true;
  const bit = field.nullBit;
  return bit >= 0 && ((bytes[at + 1 + (bit >>> 3)]! >>> (bit & 7)) & 1) === 1;
}

/** As {@link isNullAt}, for the body of an era before the layout's: one that does not know the field yet has its default. */
export function isNullBefore(layout: Layout, field: Field, bytes: Uint8Array, at: number): boolean {
  const steps = bytes[at]!;
  const era = eraOf(layout, steps);
  return field.index < era.fieldCount[steps]! ? isNullAt(era.fields[field.index]!, bytes, at) : field.given === null;
}

/** Marks `field` as null or as present. */
export function setNullAt(field: Field, bytes: Uint8Array, at: number, isNull: boolean): void {
  const bit = field.nullBit;
  if (bit < 0) return;
  const byteAt = at + 1 + (bit >>> 3);
  const mask = 1 << (bit & 7);
  bytes[byteAt] = isNull ? bytes[byteAt]! | mask : bytes[byteAt]! & ~mask;
}

/** Where the bytes of a fixed field lie. The body must be of the layout's era and have the field. */
export function fixedAt(layout: Layout, field: Field, bytes: Uint8Array, at: number): number {
  return at + 1 + layout.bitmapBytes[bytes[at]!]! + field.fixedOffset;
}

/** Where a variable field begins. The body must be of the layout's era and have the field. */
export function variableStart(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): number {
  const steps = bytes[at]!;
  if (field.rank === 0) return at + headBytes(layout, steps, endWidth(length));
  return at + endOffset(layout, field.rank - 1, steps, bytes, at, length);
}

/** Where a variable field ends. The body must be of the layout's era and have the field. */
export function variableEnd(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): number {
  return at + endOffset(layout, field.rank, bytes[at]!, bytes, at, length);
}

function endOffset(layout: Layout, rank: number, steps: number, bytes: Uint8Array, at: number, length: number): number {
  const table = at + fixedEnd(layout, steps);
  return endWidth(length) === 2 ? u16At(bytes, table + rank * 2) : u32At(bytes, table + rank * 4);
}
