import { assert } from '@niobe/kernel';
import type { PathStep } from './body-code.ts';
import { badRequest, type Clause, type ClauseOperator } from './clause.ts';
import type { Field } from './field.ts';
import type { Layout } from './layout.ts';
import { numberAt } from './numbers.ts';
import { encodeScalar } from './operand.ts';
import { generateReader, type NumberReader } from './reader-code.ts';
import { decodeField } from './record.ts';
import type { FieldValue, ScalarValue } from './types.ts';
import { isNumeric } from './value-order.ts';
import { ValueRanges } from './value-ranges.ts';
import { ValueWalk } from './value-walk.ts';

/** Longest text of a path that is looked at: eight names of 64 characters with points between. */
const PATH_LENGTH_MAX = 520;

/**
 * The way to one field, which may be in records within records: `price`, `address.city`. Where a list is on the way it leads to many
 * values: `tags`, `lines.product`. Works on bodies of this revision and of all before it.
 */
export class CellPath {
  readonly text: string;
  /** The field that the path ends in. */
  readonly field: Field;
  /** Number of the type of one value, see `Field.type`. */
  readonly type: number;
  /** True where one body may hold many values. */
  readonly isMulti: boolean;
  /** All fields on the way, the outermost first. */
  readonly steps: readonly PathStep[];
  readonly #walk: ValueWalk;
  /** Leads to the records that the field is in; null where that is the cell itself. */
  readonly #outer: ValueWalk | null;
  readonly #isThroughList: boolean;
  readonly #ranges: ValueRanges = new ValueRanges();
  #reader: NumberReader | null = null;

  /** Use `CompiledSchema.path`. */
  constructor(steps: readonly PathStep[]) {
    this.steps = steps;
    this.text = steps.map((step) => step.field.name).join('.');
    this.field = steps.at(-1)!.field;
    this.type = this.field.type;
    this.isMulti = steps.some((step) => step.field.array);
    const outer = steps.slice(0, -1);
    this.#walk = new ValueWalk(steps);
    this.#outer = outer.length === 0 ? null : new ValueWalk(outer);
    this.#isThroughList = outer.some((step) => step.field.array);
  }

  /** True where there is no value. Of a path to many values: where the first list on the way is null; an empty one is not. */
  isNull(bytes: Uint8Array, at: number, length: number): boolean {
    return this.#walk.isNull(bytes, at, length);
  }

  /**
   * Finds where the values of a body lie; nulls have none. Allocates nothing once `ranges` has grown. O(depth), with lists on the way
   * O(depth + items).
   */
  collect(bytes: Uint8Array, at: number, length: number, ranges: ValueRanges): void {
    this.#walk.collect(bytes, at, length, ranges);
  }

  /** The number of a body as `CompiledSchema.readNumber` has it; NaN of a null. For paths to one number. Allocates nothing. */
  readNumber(bytes: Uint8Array, at: number, length: number): number {
    return (this.#reader ??= this.#makeReader())(bytes, at, length);
  }

  #makeReader(): NumberReader {
    assert(!this.isMulti && isNumeric(this.type), 'numbers are read by a path to one number');
    const ranges = new ValueRanges();
    return generateReader(this.steps, (bytes, at, length) => {
      this.#walk.collect(bytes, at, length, ranges);
      return ranges.count === 0 ? NaN : numberAt(this.type, ranges.source(0), ranges.starts[0]!);
    });
  }

  /** The value as the application sees it. Of a path through a list of records: the values of all items in one list, without nulls. */
  read(bytes: Uint8Array, at: number, length: number): FieldValue {
    const { layout, field } = this.steps.at(-1)!;
    if (this.#outer === null) return decodeField(layout, field, bytes, at, length);
    const ranges = this.#ranges;
    this.#outer.collect(bytes, at, length, ranges);
    const values: FieldValue[] = [];
    for (let i = 0; i < ranges.count; i++) {
      const start = ranges.starts[i]!;
      values.push(decodeField(layout, field, ranges.source(i), start, ranges.ends[i]! - start));
    }
    if (!this.#isThroughList) return values[0] ?? null;
    const items = field.array ? values.flatMap((list) => (list ?? []) as readonly FieldValue[]) : values;
    return items.filter((item) => item !== null) as FieldValue;
  }

  /** A clause on this path; see {@link Clause}. Throws `SCHEMA_VIOLATION` where the value is none of the field's type. */
  clause(op: ClauseOperator, value: ScalarValue = null): Clause {
    const [field, ...inner] = this.steps.map((step) => step.field.index);
    const operand = op === 'null' || op === 'notNull' ? new Uint8Array(0) : encodeScalar(this.field, value);
    return inner.length === 0 ? { field: field!, op, value: operand } : { field: field!, inner, op, value: operand };
  }
}

/** The steps of a path in text; `BAD_REQUEST` naming what exists where it leads nowhere. */
export function parsePath(layout: Layout, text: string): PathStep[] {
  if (text.length > PATH_LENGTH_MAX) throw badRequest(`a path of more than ${PATH_LENGTH_MAX} characters`);
  const steps: PathStep[] = [];
  let inner: Layout | null = layout;
  for (const name of text.split('.')) {
    if (inner === null) throw badRequest(`${text}: ${steps.at(-1)!.field.name} is no record`);
    const field: Field | undefined = inner.fields.find((known) => known.name === name);
    if (field === undefined) throw badRequest(`${text}: no field ${name}; there are ${namesOf(inner)}`);
    steps.push({ layout: inner, field });
    inner = field.record;
  }
  return steps;
}

/** The steps of a clause's path; `BAD_REQUEST` where it leads nowhere. */
export function stepsOfClause(layout: Layout, { field, inner = [] }: Clause): PathStep[] {
  const steps: PathStep[] = [];
  let next: Layout | null = layout;
  for (const index of [field, ...inner]) {
    const found: Field | undefined = next?.fields[index];
    if (next === null || found === undefined) throw badRequest(`there is no field ${[field, ...inner].join('.')}`);
    steps.push({ layout: next, field: found });
    next = found.record;
  }
  return steps;
}

function namesOf(layout: Layout): string {
  return layout.fields.map((field) => field.name).join(', ');
}
