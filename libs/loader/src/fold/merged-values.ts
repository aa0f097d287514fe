import type { BodyBuilder, CompiledSchema, MergeOperator } from '@niobe/cells';
import type { EventValue } from '@niobe/events';
import { ByteWriter } from '@niobe/kernel';

/**
 * What the events of one run tell of the fields of many cells: field f of row r at `r * fields + f`. Values of one field are joined as
 * the merge operator of the field would join them in the cell, so that one merge of what comes out is the merges of all in their order.
 *
 * A value is as events have it: integers as numbers while they are safe, else bigints; decimals scaled. Not told is undefined, told to be
 * absent is null.
 */

type Told = EventValue | undefined;
type Join = (present: Told, value: EventValue) => Told;

/** A text, and a bytes value, of a vertex. */
const TEXT_BYTES_MAX: number = 1024 * 1024;

/** Range of the integer types that a sum could leave. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  i8: [-(2n ** 7n), 2n ** 7n - 1n],
  u8: [0n, 2n ** 8n - 1n],
  i16: [-(2n ** 15n), 2n ** 15n - 1n],
  u16: [0n, 2n ** 16n - 1n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  decimal: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  i128: [-(2n ** 127n), 2n ** 127n - 1n],
};

export class MergedValues {
  readonly #schema: CompiledSchema;
  /** Fields of the schema. */
  readonly fields: number;
  readonly #joins: readonly Join[];
  readonly #values: Told[] = [];
  readonly #text = new ByteWriter(TEXT_BYTES_MAX, 256);
  #overflows = 0;

  constructor(schema: CompiledSchema) {
    this.#schema = schema;
    this.fields = schema.fields.length;
    this.#joins = schema.fields.map(({ declaration }) => {
      const { merge = 'replace', type } = declaration;
      return merge === 'add' ? this.#adder(type) : JOINS[merge];
    });
  }

  /** Values that were passed over because a sum would not fit its field. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Begins a row of which nothing is told. */
  open(row: number): void {
    const start = row * this.fields;
    for (let f = 0; f < this.fields; f++) this.#values[start + f] = undefined;
  }

  /** One more event tells a field. */
  tell(row: number, field: number, value: EventValue): void {
    const at = row * this.fields + field;
    this.#values[at] = this.#joins[field]!(this.#values[at], value);
  }

  /** Fields of a row up to the last that was told; 0 if none was. */
  told(row: number): number {
    const start = row * this.fields;
    let count = this.fields;
    while (count > 0 && this.#values[start + count - 1] === undefined) count -= 1;
    return count;
  }

  /** Sets the first `count` fields of a body; what is not told or absent is null, also where it has a default. */
  write(row: number, count: number, builder: BodyBuilder): void {
    const start = row * this.fields;
    for (let f = 0; f < count; f++) {
      const value = this.#values[start + f];
      if (value !== undefined && value !== null) this.#writeValue(f, value, builder);
      else if (this.#schema.fields[f]!.optional) builder.setNull(f);
    }
  }

  #writeValue(field: number, value: Exclude<EventValue, null>, builder: BodyBuilder): void {
    if (typeof value === 'number') builder.setNumber(field, value);
    else if (typeof value === 'bigint') builder.setBigint(field, value);
    else if (value instanceof Uint8Array) builder.setBytes(field, value, 0, value.length);
    else if (typeof value === 'string' && this.#schema.fields[field]!.variable) this.#writeText(field, value, builder);
    else builder.setValue(field, value);
  }

  #writeText(field: number, value: string, builder: BodyBuilder): void {
    const out = this.#text;
    out.reset();
    out.utf8(value);
    builder.setText(field, out.buffer, 0, out.length);
  }

  /** Forgets all rows and keeps the room. */
  clear(): void {
    this.#overflows = 0;
  }

  #adder(type: string): Join {
    if (type === 'f64' || type === 'f32')
      return (present, value) => sum(present, value, (a, b) => (a as number) + (b as number));
    const [least, most] = RANGES[type]!;
    return (present, value) => {
      const joined = sum(present, value, addExactly);
      if (typeof joined === 'number' ? joined >= Number(least) && joined <= Number(most) : inRange(joined, least, most))
        return joined;
      this.#overflows += 1;
      return present;
    };
  }
}

const replace: Join = (_present, value) => value;

const JOINS: Readonly<Record<Exclude<MergeOperator, 'add'>, Join>> = {
  keep: (present, value) => (present === undefined ? value : present),
  replace,
  min: (present, value) => (isNothing(present) || (value !== null && isBelow(value, present)) ? value : present),
  max: (present, value) => (isNothing(present) || (value !== null && isBelow(present, value)) ? value : present),
  // Lists are not told by events.
  setUnion: replace,
  append: replace,
};

function isNothing(told: Told): told is null | undefined {
  return told === undefined || told === null;
}

/** Numbers and bigints compare by value, whichever they are. */
function isBelow(a: EventValue, b: EventValue): boolean {
  return (a as number) < (b as number);
}

function sum(present: Told, value: EventValue, add: (a: EventValue, b: EventValue) => EventValue): Told {
  if (isNothing(present)) return value;
  return value === null ? present : add(present, value);
}

function addExactly(a: EventValue, b: EventValue): EventValue {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return BigInt(a as number | bigint) + BigInt(b as number | bigint);
}

function inRange(value: Told, least: bigint, most: bigint): boolean {
  return typeof value !== 'bigint' || (value >= least && value <= most);
}
