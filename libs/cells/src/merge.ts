import { copyRange, NiobeError } from '@niobe/kernel';
import {
  bodyBytes,
  endWidth,
  fixedAt,
  fixedEnd,
  headBytes,
  isNullAt,
  MERGE,
  setNullAt,
  TYPE,
  variableEnd,
  variableStart,
  type Field,
  type Layout,
} from './layout.ts';
import { compareFixed, integerWords, isSigned } from './scalar.ts';
import { addIntegers, f64At, setF64, setU16, setU32 } from './words.ts';

/**
 * Joins a stored body with a delta, field by field on bytes, as each field's merge operator says.
 *
 * 1. The stored body is copied, or laid out anew where it is older than this revision or a variable field is replaced.
 * 2. The operators of the fixed fields then work in the copy. An overflow throws and the stored body is as it was.
 *
 * A field that the delta's revision does not know stays as it was.
 */
export class Merger {
  readonly #layout: Layout;
  /** Fixed fields that are not kept. */
  readonly #combined: readonly Field[];
  readonly #replacesVariable: boolean;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#combined = layout.fields.filter((field) => !field.variable && field.merge !== MERGE.keep);
    this.#replacesVariable = layout.variables.some((field) => field.merge === MERGE.replace);
  }

  /**
   * Writes the merged body to `out` from `outAt` and returns its length, at most `oldLength + deltaLength +` {@link headBytesMax}.
   * Both bodies must have been checked. Throws `OVERFLOW` naming the field.
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
    let length = oldLength;
    if (old[oldAt] === this.#layout.fieldCount && !this.#replacesVariable) {
      copyRange(old, oldAt, oldAt + oldLength, out, outAt);
    } else {
      length = this.#layOutAnew(old, oldAt, oldLength, delta, deltaAt, deltaLength, out, outAt);
    }
    this.#combine(delta, deltaAt, out, outAt);
    return length;
  }

  /** Most bytes of a body of this schema before its variable area. */
  get headBytesMax(): number {
    return headBytes(this.#layout, this.#layout.fieldCount, 4);
  }

  #combine(delta: Uint8Array, deltaAt: number, out: Uint8Array, outAt: number): void {
    const known = delta[deltaAt]!;
    for (let i = 0; i < this.#combined.length; i++) {
      const field = this.#combined[i]!;
      if (field.index < known) combineField(this.#layout, field, delta, deltaAt, out, outAt);
    }
  }

  /** Writes the stored fixed fields in this revision's layout, and each variable field from the side its operator takes. */
  #layOutAnew(
    old: Uint8Array,
    oldAt: number,
    oldLength: number,
    delta: Uint8Array,
    deltaAt: number,
    deltaLength: number,
    out: Uint8Array,
    outAt: number,
  ): number {
    const layout = this.#layout;
    let variableBytes = 0;
    for (const field of layout.variables) {
      variableBytes += takesDelta(field, delta, deltaAt)
        ? rangeBytes(layout, field, delta, deltaAt, deltaLength)
        : rangeBytes(layout, field, old, oldAt, oldLength);
    }
    const length = bodyBytes(layout, layout.fieldCount, variableBytes);
    out.fill(0, outAt, outAt + headBytes(layout, layout.fieldCount, endWidth(length)));
    out[outAt] = layout.fieldCount;
    this.#copyFixed(old, oldAt, out, outAt);
    let end = headBytes(layout, layout.fieldCount, endWidth(length));
    for (const field of layout.variables) {
      end = takesDelta(field, delta, deltaAt)
        ? copyVariable(layout, field, delta, deltaAt, deltaLength, out, outAt, end, length)
        : copyVariable(layout, field, old, oldAt, oldLength, out, outAt, end, length);
    }
    return length;
  }

  #copyFixed(old: Uint8Array, oldAt: number, out: Uint8Array, outAt: number): void {
    for (const field of this.#layout.fields) {
      if (isNullAt(field, old, oldAt)) {
        setNullAt(field, out, outAt, true);
      } else if (!field.variable) {
        const from = fixedAt(this.#layout, field, old, oldAt);
        copyRange(old, from, from + field.bytes, out, fixedAt(this.#layout, field, out, outAt));
      }
    }
  }
}

function takesDelta(field: Field, delta: Uint8Array, deltaAt: number): boolean {
  return field.merge === MERGE.replace && field.index < delta[deltaAt]!;
}

function rangeBytes(layout: Layout, field: Field, bytes: Uint8Array, at: number, length: number): number {
  if (field.index >= bytes[at]!) return 0;
  return variableEnd(layout, field, bytes, at, length) - variableStart(layout, field, bytes, at, length);
}

/** Copies a variable field behind offset `end` of `out` and returns the new end. */
function copyVariable(
  layout: Layout,
  field: Field,
  bytes: Uint8Array,
  at: number,
  length: number,
  out: Uint8Array,
  outAt: number,
  end: number,
  outLength: number,
): number {
  setNullAt(field, out, outAt, isNullAt(field, bytes, at));
  let newEnd = end;
  if (field.index < bytes[at]!) {
    const start = variableStart(layout, field, bytes, at, length);
    newEnd = copyRange(bytes, start, variableEnd(layout, field, bytes, at, length), out, outAt + end) - outAt;
  }
  const table = outAt + fixedEnd(layout, layout.fieldCount);
  if (endWidth(outLength) === 2) setU16(out, table + field.rank * 2, newEnd);
  else setU32(out, table + field.rank * 4, newEnd);
  return newEnd;
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
    copyRange(delta, from, from + field.bytes, out, to);
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
  if (field.type === TYPE.f64) {
    setF64(out, to, f64At(out, to) + f64At(delta, from));
  } else if (!addIntegers(out, to, delta, from, integerWords(field.type), isSigned(field.type))) {
    throw new NiobeError('OVERFLOW', `${field.name}: the sum does not fit ${field.declaration.type}`, {
      path: field.name,
    });
  }
}
