import { ByteWriter, copyRange, NiobeError } from '@niobe/kernel';
import { BodyBuilder } from './body-builder.ts';
import { isWithin } from './bounds.ts';
import type { Field } from './field.ts';
import {
  bodyBytes,
  endWidth,
  eraOf,
  fixedAt,
  fixedEnd,
  headBytes,
  isNullAt,
  setNullAt,
  variableEnd,
  variableStart,
  type Layout,
} from './layout.ts';
import { joinLists } from './merge-lists.ts';
import { compareFixed, integerWords, isSigned, numberAt } from './numbers.ts';
import { growthOf, renewBody } from './renew.ts';
import { isInRange } from './scalar.ts';
import { MERGE, TYPE } from './type-table.ts';
import { CELL_BYTES_MAX } from './types.ts';
import { addIntegers, f64At, setF32, setF64, setU16, setU32 } from './words.ts';

/**
 * Joins a stored body with a delta, field by field on bytes, as each field's merge operator says.
 *
 * 1. Bodies of an earlier era are written anew in scratch first.
 * 2. The stored body is copied, or laid out anew where it has fewer steps or a variable field is not kept: each variable field then
 *    comes from the stored body, from the delta, or from scratch, where the lists of both were joined.
 * 3. The operators of the fixed fields work in the copy. An overflow throws and the stored body is as it was.
 *
 * A field that the delta's revision does not know stays as it was.
 */
export class Merger {
  readonly #layout: Layout;
  /** Fixed fields that are not kept. */
  readonly #combined: readonly Field[];
  readonly #keepsVariables: boolean;
  readonly #sources: Sources;
  readonly #growth: ReturnType<typeof growthOf>;
  #renewal: Renewal | null = null;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#combined = layout.fields.filter((field) => !field.variable && field.merge !== MERGE.keep);
    this.#keepsVariables = layout.variables.every((field) => field.merge === MERGE.keep);
    this.#sources = new Sources(layout);
    this.#growth = growthOf(layout);
  }

  /** Most bytes of the joined body. */
  mergedBytesMax(oldLength: number, deltaLength: number): number {
    const { factor, added } = this.#growth;
    return (oldLength + deltaLength) * factor + added + headBytes(this.#layout, this.#layout.steps, 4);
  }

  /**
   * Writes the merged body to `out` from `outAt` and returns its length, at most {@link mergedBytesMax}. Both bodies must have been
   * checked. Throws `OVERFLOW` naming the field. Allocates nothing where both bodies are of this era and no lists are joined.
   */
  merge(
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
    out: Uint8Array,
    outAt: number,
  ): number {
    const { from } = this.#layout;
    const known = knownFields(this.#layout, delta[deltaAt]!);
    if (old[oldAt]! >= from && delta[deltaAt]! >= from)
      return this.#merge(old, oldAt, oldLength, delta, deltaAt, deltaLength, known, out, outAt);
    const renewal = (this.#renewal ??= new Renewal(this.#layout));
    const [base, change] = renewal.renew(old, oldAt, oldLength, delta, deltaAt, deltaLength);
    return this.#merge(base, 0, base.length, change, 0, change.length, known, out, outAt);
  }

  /** As {@link merge}, of two bodies of this era. `known`: fields that the delta knows. */
  #merge(
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
    known: number,
    out: Uint8Array,
    outAt: number,
  ): number {
    let length = oldLength;
    if (old[oldAt] === this.#layout.steps && this.#keepsVariables) {
      copyRange(old, oldAt, oldAt + oldLength, out, outAt);
    } else {
      this.#sources.choose(old, oldAt, oldLength, delta, deltaAt, deltaLength, known);
      length = this.#layOutAnew(old, oldAt, out, outAt);
      this.#sources.write(old, oldAt, delta, deltaAt, out, outAt, length);
    }
    this.#combine(delta, deltaAt, known, out, outAt);
    return length;
  }

  #combine(delta: Uint8Array, deltaAt: number, known: number, out: Uint8Array, outAt: number): void {
    for (let i = 0; i < this.#combined.length; i++) {
      const field = this.#combined[i]!;
      if (field.index < known) combineField(this.#layout, field, delta, deltaAt, out, outAt);
    }
  }

  /** Writes the stored fixed fields in this layout; returns the length of a body with the variable fields as they were chosen. */
  #layOutAnew(old: Uint8Array, oldAt: number, out: Uint8Array, outAt: number): number {
    const layout = this.#layout;
    const length = bodyBytes(layout, layout.steps, this.#sources.bytes);
    out.fill(0, outAt, outAt + headBytes(layout, layout.steps, endWidth(length)));
    out[outAt] = layout.steps;
    this.#copyFixed(old, oldAt, out, outAt);
    return length;
  }

  #copyFixed(old: Uint8Array, oldAt: number, out: Uint8Array, outAt: number): void {
    for (const field of this.#layout.fields) {
      if (field.variable) continue;
      if (isNullAt(field, old, oldAt)) {
        setNullAt(field, out, outAt, true);
      } else {
        const from = fixedAt(this.#layout, field, old, oldAt);
        copyRange(old, from, from + field.fixedBytes, out, fixedAt(this.#layout, field, out, outAt));
      }
    }
  }
}

/** How many fields, the first ones, a body of so many steps knows. */
function knownFields(layout: Layout, steps: number): number {
  return (steps < layout.from ? eraOf(layout, steps) : layout).fieldCount[steps]!;
}

/** Brings bodies of earlier eras into this one; for merges in which one is. */
class Renewal {
  readonly #layout: Layout;
  readonly #builder: BodyBuilder;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#builder = new BodyBuilder(layout);
  }

  /** Both bodies, in this era. */
  renew(
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
  ): readonly [Uint8Array, Uint8Array] {
    return [this.#renewOne(old, oldAt, oldLength), this.#renewOne(delta, deltaAt, deltaLength)];
  }

  #renewOne(bytes: Uint8Array, at: number, length: number): Uint8Array {
    if (bytes[at]! >= this.#layout.from) return bytes.subarray(at, at + length);
    const out = new ByteWriter(RENEWED_BYTES_MAX, length * 2);
    renewBody(this.#layout, this.#builder, bytes, at, length, out);
    return out.peek();
  }
}

/** A list of bytes that became one of 8-byte values, and what a layout adds. */
const RENEWED_BYTES_MAX = 9 * CELL_BYTES_MAX;

const OLD = 0;
const DELTA = 1;
const JOINED = 2;

/** Where the bytes of each variable field of a merged body come from, by rank. */
class Sources {
  /** Bytes of all together. */
  bytes = 0;
  readonly #layout: Layout;
  readonly #sources: Uint8Array;
  /** From the start of the source. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #nulls: Uint8Array;
  /** Joined lists. */
  readonly #joined: ByteWriter | null;

  constructor(layout: Layout) {
    const count = layout.variables.length;
    const joins = layout.variables.some(isJoined);
    this.#layout = layout;
    this.#sources = new Uint8Array(count);
    this.#starts = new Uint32Array(count);
    this.#ends = new Uint32Array(count);
    this.#nulls = new Uint8Array(count);
    this.#joined = joins ? new ByteWriter(2 * RENEWED_BYTES_MAX) : null;
  }

  choose(
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
    known: number,
  ): void {
    this.bytes = 0;
    this.#joined?.reset();
    for (const field of this.#layout.variables) {
      const isChanged = field.merge !== MERGE.keep && field.index < known;
      if (!isChanged) this.#take(OLD, field, old, oldAt, oldLength);
      else if (isJoined(field)) this.#join(field, old, oldAt, oldLength, delta, deltaAt, deltaLength);
      else this.#take(DELTA, field, delta, deltaAt, deltaLength);
      this.bytes += this.#ends[field.rank]! - this.#starts[field.rank]!;
    }
  }

  #take(source: number, field: Field, bytes: Uint8Array, at: number, length: number): void {
    const { rank } = field;
    const isThere = field.step <= bytes[at]!;
    this.#sources[rank] = source;
    this.#starts[rank] = isThere ? variableStart(this.#layout, field, bytes, at, length) - at : 0;
    this.#ends[rank] = isThere ? variableEnd(this.#layout, field, bytes, at, length) - at : 0;
    this.#nulls[rank] = isNullAt(field, bytes, at) ? 1 : 0;
  }

  #join(
    field: Field,
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
  ): void {
    const { rank } = field;
    this.#take(OLD, field, old, oldAt, oldLength);
    if (isNullAt(field, delta, deltaAt)) return;
    const out = this.#joined!;
    const start = out.length;
    const deltaStart = variableStart(this.#layout, field, delta, deltaAt, deltaLength);
    const deltaEnd = variableEnd(this.#layout, field, delta, deltaAt, deltaLength);
    const [oldStart, oldEnd] = [oldAt + this.#starts[rank]!, oldAt + this.#ends[rank]!];
    joinLists(field, old, oldStart, oldEnd, delta, deltaStart, deltaEnd, out);
    this.#sources[rank] = JOINED;
    this.#starts[rank] = start;
    this.#ends[rank] = out.length;
    this.#nulls[rank] = 0;
  }

  /** Copies all of them to `out` behind the head of a body of `length` bytes at `outAt`, and writes their ends. */
  write(
    old: Uint8Array,
    oldAt: number,
    delta: Uint8Array,
    deltaAt: number,
    out: Uint8Array,
    outAt: number,
    length: number,
  ): void {
    const layout = this.#layout;
    const width = endWidth(length);
    const table = outAt + fixedEnd(layout, layout.steps);
    let end = outAt + headBytes(layout, layout.steps, width);
    for (let rank = 0; rank < layout.variables.length; rank++) {
      const source = this.#sources[rank]!;
      const bytes = source === OLD ? old : source === DELTA ? delta : this.#joined!.buffer;
      const at = source === OLD ? oldAt : source === DELTA ? deltaAt : 0;
      end = copyRange(bytes, at + this.#starts[rank]!, at + this.#ends[rank]!, out, end);
      if (this.#nulls[rank] === 1) setNullAt(layout.variables[rank]!, out, outAt, true);
      if (width === 2) setU16(out, table + rank * 2, end - outAt);
      else setU32(out, table + rank * 4, end - outAt);
    }
  }
}

function isJoined(field: Field): boolean {
  return field.merge === MERGE.setUnion || field.merge === MERGE.append;
}

function combineField(
  layout: Layout,
  field: Field,
  delta: Uint8Array,
  deltaAt: number,
  out: Uint8Array,
  outAt: number,
): void {
  const from = fixedAt(layout, field, delta, deltaAt);
  const to = fixedAt(layout, field, out, outAt);
  const deltaIsNull = isNullAt(field, delta, deltaAt);
  if (field.merge === MERGE.replace || isNullAt(field, out, outAt)) {
    // The bytes of a null are zero, so copying them keeps equal records equal.
    copyRange(delta, from, from + field.fixedBytes, out, to);
    setNullAt(field, out, outAt, deltaIsNull);
  } else if (!deltaIsNull) {
    combineValues(field, delta, from, out, to);
  }
}

function combineValues(field: Field, delta: Uint8Array, from: number, out: Uint8Array, to: number): void {
  if (field.merge === MERGE.add) {
    add(field, delta, from, out, to);
    return;
  }
  const order = compareFixed(field.type, delta, from, out, to);
  if (field.merge === MERGE.min ? order < 0 : order > 0) copyRange(delta, from, from + field.bytes, out, to);
}

function add(field: Field, delta: Uint8Array, from: number, out: Uint8Array, to: number): void {
  const { type, bounds } = field;
  const width = integerWords(type);
  if (type === TYPE.f64) setF64(out, to, f64At(out, to) + f64At(delta, from));
  else if (width === 0) addNumbers(field, delta, from, out, to);
  else if (!addIntegers(out, to, delta, from, width, isSigned(type))) throw overflow(field);
  if (bounds !== null && !isWithin(bounds, type, out, to)) throw overflow(field);
}

/** The sum of two values of less than 32 bits, or of 32-bit floats. */
function addNumbers(field: Field, delta: Uint8Array, from: number, out: Uint8Array, to: number): void {
  const sum = numberAt(field.type, out, to) + numberAt(field.type, delta, from);
  if (field.type === TYPE.f32) setF32(out, to, sum);
  else if (isInRange(field.type, sum)) setSmall(field, out, to, sum);
  else throw overflow(field);
}

function setSmall(field: Field, out: Uint8Array, to: number, value: number): void {
  if (field.bytes === 1) out[to] = value;
  else setU16(out, to, value);
}

function overflow(field: Field): NiobeError {
  return new NiobeError('OVERFLOW', `${field.name}: the sum does not fit ${field.declaration.type}`, {
    path: field.name,
  });
}
