import type { EventType, EventValue } from '@niobe/events';
import type { Cube, Measure, MeasureKind } from '../cube/cube.ts';

/**
 * What one event adds to the measures of one cube, worked out once and then added to a group of each dimension set.
 *
 * Numbers are kept in doubles as long as they are safe integers (or f64). An integer that is not stands as {@link WIDE} in the column
 * of doubles and as a bigint beside it: that path is exact and slow, and real data seldom takes it.
 */

/** In a column of doubles: the value is a bigint beside it. No field can hold an infinite number. */
export const WIDE: number = Number.POSITIVE_INFINITY;
/** In a column of doubles: no value. */
export const ABSENT: number = Number.NaN;

/**
 * A product must be below 2^this in size, else the event is refused for the cube. So a 128-bit sum overflows after 2^31 such events at
 * the earliest, and no single event can stop a cube.
 */
const CONTRIBUTION_BITS = 96;

const CONTRIBUTION_LIMIT = 1n << BigInt(CONTRIBUTION_BITS);

/** Kinds of measure as numbers, for columns. */
export const KIND: Readonly<Record<MeasureKind, number>> = { count: 0, sum: 1, min: 2, max: 3 };

/** Indexes of the fields a cube's measures read in one event type; -1 where the type has no such field. */
export interface MeasureFields {
  /** By measure. */
  readonly first: Int16Array;
  /** The other factor, or -1 where the measure reads one field only. */
  readonly second: Int16Array;
}

/** Finds the fields of a cube's measures in `type`. A product with a factor that the type lacks reads as absent. */
export function measureFieldsOf(cube: Cube, type: EventType): MeasureFields {
  const indexOf = (name: string): number => type.field(name)?.index ?? -1;
  const both = (measure: Measure): boolean => measure.columns.every((column) => indexOf(column) >= 0);
  return {
    first: Int16Array.from(cube.measures, (measure) =>
      both(measure) && measure.columns.length > 0 ? indexOf(measure.columns[0]!) : -1,
    ),
    second: Int16Array.from(cube.measures, (measure) =>
      measure.columns.length === 2 ? indexOf(measure.columns[1]!) : -1,
    ),
  };
}

/** See the head of this file. One object serves a cube for all events. */
export class Contributions {
  /** By measure: 1 for a count, a number, {@link WIDE} or {@link ABSENT}. */
  readonly values: Float64Array;
  /** By measure, where `values` says {@link WIDE}. */
  readonly wide: bigint[];
  readonly #kinds: Uint8Array;

  constructor(measures: readonly Measure[]) {
    this.values = new Float64Array(measures.length);
    this.wide = measures.map(() => 0n);
    this.#kinds = Uint8Array.from(measures, ({ kind }) => KIND[kind]);
  }

  /** Reads an event. False: the cube cannot take it, a product is beyond {@link CONTRIBUTION_BITS}. */
  read(values: readonly EventValue[], fields: MeasureFields): boolean {
    for (let m = 0; m < this.#kinds.length; m++) {
      const first = fields.first[m]!;
      const second = fields.second[m]!;
      if (this.#kinds[m] === KIND.count) this.values[m] = 1;
      else if (first < 0) this.values[m] = ABSENT;
      else if (second < 0) this.#set(m, values[first] as number | bigint | null);
      else if (!this.#multiply(m, values[first] as number | bigint | null, values[second] as number | bigint | null))
        return false;
    }
    return true;
  }

  #set(m: number, value: number | bigint | null): void {
    if (value === null) this.values[m] = ABSENT;
    else if (typeof value === 'number') this.values[m] = value;
    else this.#setWide(m, value);
  }

  #setWide(m: number, value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      this.values[m] = number;
    } else {
      this.values[m] = WIDE;
      this.wide[m] = value;
    }
  }

  #multiply(m: number, a: number | bigint | null, b: number | bigint | null): boolean {
    if (a === null || b === null) {
      this.values[m] = ABSENT;
      return true;
    }
    if (typeof a === 'number' && typeof b === 'number') {
      const product = a * b;
      if (Number.isSafeInteger(product)) {
        this.values[m] = product;
        return true;
      }
    }
    const product = BigInt(a) * BigInt(b);
    if (product >= CONTRIBUTION_LIMIT || product <= -CONTRIBUTION_LIMIT) return false;
    this.#setWide(m, product);
    return true;
  }
}
