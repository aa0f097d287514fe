import type { BodyBuilder } from '@niobe/cells';
import { assert } from '@niobe/kernel';
import type { Measure } from '../cube/cube.ts';
import { ABSENT, KIND, WIDE, type Contributions } from './contributions.ts';

/**
 * The measures of all groups of one dimension set, as one column of doubles: measure m of group g at `g * measures + m`.
 *
 * A sum is exact: while it is a safe integer it is a double; when the next addition would leave that range, what it holds moves into a
 * bigint beside it and the double begins at 0 again. So a sum is (double) + (bigint, if any), and the bigint is touched once in 2^53.
 */
export class Accumulators {
  readonly #measures: number;
  readonly #kinds: Uint8Array;
  #values: Float64Array;
  readonly #wide = new Map<number, bigint>();

  constructor(measures: readonly Measure[], groups: number) {
    this.#measures = measures.length;
    this.#kinds = Uint8Array.from(measures, ({ kind }) => KIND[kind]);
    this.#values = new Float64Array(groups * measures.length);
  }

  /** Makes room for `groups`; keeps what is there. */
  grow(groups: number): void {
    const grown = new Float64Array(groups * this.#measures);
    grown.set(this.#values);
    this.#values = grown;
  }

  /** Forgets every group. */
  clear(): void {
    if (this.#wide.size > 0) this.#wide.clear();
  }

  /** Begins a group without any event. */
  open(group: number): void {
    const start = group * this.#measures;
    for (let m = 0; m < this.#measures; m++) this.#values[start + m] = this.#kinds[m] === KIND.count ? 0 : ABSENT;
  }

  /** Adds one event to a group. */
  add(group: number, event: Contributions): void {
    const start = group * this.#measures;
    const values = this.#values;
    for (let m = 0; m < this.#measures; m++) {
      const value = event.values[m]!;
      if (Number.isNaN(value)) continue;
      const kind = this.#kinds[m]!;
      if (kind === KIND.count) values[start + m]! += 1;
      else if (kind === KIND.sum) this.#sum(start + m, value, event.wide[m]!);
      else this.#extreme(start + m, kind === KIND.min ? 1 : -1, value, event.wide[m]!);
    }
  }

  #sum(at: number, value: number, wide: bigint): void {
    const present = this.#values[at]!;
    const sum = (Number.isNaN(present) ? 0 : present) + value;
    if (sum <= Number.MAX_SAFE_INTEGER && sum >= -Number.MAX_SAFE_INTEGER) {
      this.#values[at] = sum;
      return;
    }
    const kept = (this.#wide.get(at) ?? 0n) + BigInt(Number.isNaN(present) ? 0 : present);
    this.#wide.set(at, kept + (value === WIDE ? wide : BigInt(value)));
    this.#values[at] = 0;
  }

  /** `sign` 1 keeps the smallest, -1 the largest. */
  #extreme(at: number, sign: 1 | -1, value: number, wide: bigint): void {
    const present = this.#values[at]!;
    if (value !== WIDE && present !== WIDE) {
      if (Number.isNaN(present) || (present - value) * sign > 0) this.#values[at] = value;
      return;
    }
    const candidate = value === WIDE ? wide : value;
    const best = present === WIDE ? this.#wide.get(at)! : present;
    if (!(typeof best === 'number' && Number.isNaN(best)) && (sign === 1 ? best <= candidate : best >= candidate))
      return;
    this.#values[at] = value;
    if (typeof candidate === 'bigint') this.#wide.set(at, candidate);
    else this.#wide.delete(at);
  }

  /** Sets the measures' fields of a cell body, from `field` on; an absent measure stays null. */
  write(group: number, builder: BodyBuilder, field: number): void {
    const start = group * this.#measures;
    for (let m = 0; m < this.#measures; m++) {
      const value = this.#values[start + m]!;
      if (Number.isNaN(value)) continue;
      const wide = this.#wide.size === 0 ? undefined : this.#wide.get(start + m);
      if (wide === undefined) builder.setNumber(field + m, value);
      else builder.setBigint(field + m, this.#kinds[m] === KIND.sum ? wide + BigInt(value) : wide);
    }
    assert(this.#measures > 0, 'a cube measures something');
  }
}
