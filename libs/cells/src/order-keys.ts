import type { CellPath } from './cell-path.ts';
import { badRequest } from './clause.ts';
import { compareValues, hashValue, orderKey, orderOf } from './value-order.ts';
import { ValueRanges } from './value-ranges.ts';

/**
 * What an index on a path stores and compares: for each value of a body a double that keeps the order, and the range of its bytes for
 * when doubles are equal. One instance holds the values of one body at a time; whoever compares two bodies takes two instances.
 */
export class OrderKeys {
  readonly path: CellPath;
  readonly #ranges: ValueRanges = new ValueRanges();
  #keys: Float64Array<ArrayBuffer> = new Float64Array(1);

  /** Use `CompiledSchema.orderKeys`. Throws `BAD_REQUEST` where the values have no order. */
  constructor(path: CellPath) {
    const order = orderOf(path.type);
    if (order === 'none' || order === 'same')
      throw badRequest(`${path.text}: ${path.field.declaration.type} has no order`);
    this.path = path;
  }

  /**
   * Finds the values of a body and returns how many there are: none for a null, and for arrays one for each item, also where items
   * are equal. O(depth + values).
   */
  collect(bytes: Uint8Array, at: number, length: number): number {
    const ranges = this.#ranges;
    this.path.collect(bytes, at, length, ranges);
    const { count } = ranges;
    if (this.#keys.length < count) this.#keys = new Float64Array(ranges.starts.length);
    for (let i = 0; i < count; i++) this.#keys[i] = this.keyOf(ranges.source(i), ranges.starts[i]!, ranges.ends[i]!);
    return count;
  }

  /** By value: `keys[a] < keys[b]` only where value `a` is below value `b`; equal keys are told apart by {@link compare}. */
  get keys(): Float64Array {
    return this.#keys;
  }

  /** By value: where it begins in its {@link source}. */
  get starts(): Float64Array {
    return this.#ranges.starts;
  }

  /** By value: one behind its last byte. */
  get ends(): Float64Array {
    return this.#ranges.ends;
  }

  /** The bytes that the range of value `index` belongs to: those of the body, or of a default or a dictionary. */
  source(index: number): Uint8Array {
    return this.#ranges.source(index);
  }

  /** The key of a value given as bytes, such as the value of a clause. */
  keyOf(bytes: Uint8Array, start: number, end: number): number {
    return orderKey(this.path.type, bytes, start, end);
  }

  /** The full order of two values: negative, zero or positive. NaN is above everything, -0 equals 0. */
  compare(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): number {
    return compareValues(this.path.type, a, aStart, aEnd, b, bStart, bEnd);
  }

  /** A u32 that is the same for values that compare as equal. O(length). */
  hashAt(bytes: Uint8Array, start: number, end: number): number {
    return hashValue(this.path.type, bytes, start, end);
  }
}
