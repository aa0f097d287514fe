import type { CellPath } from './cell-path.ts';
import { badRequest, refuseTooMany, type Clause, type ClauseOperator } from './clause.ts';
import { numberAt } from './numbers.ts';
import { checkOperand } from './operand.ts';
import { compareValues, hasPrefix, isFloat, orderOf, samePosition } from './value-order.ts';
import { ValueRanges } from './value-ranges.ts';

/**
 * Clauses as tests on the bytes of a body, the plain way: find the value, compare it. This works for every clause and every revision;
 * `predicate-code.ts` makes faster code for the common case and falls back to this.
 */

/** True for bodies that match; the bytes must be a checked body. */
export type BodyTest = (bytes: Uint8Array, at: number, length: number) => boolean;

/**
 * Tests the bodies `from` to `to` (exclusive) of two columns, where each begins in `bytes` and how long it is, writes the places in the
 * columns of those that match to the front of `hits` and returns how many there are.
 */
export type Selection = (
  bytes: Uint8Array,
  starts: Float64Array,
  lengths: Uint32Array,
  from: number,
  to: number,
  hits: Uint32Array,
) => number;

/** A conjunction of clauses: a test of one body, and of many, which costs less for each. */
export interface Predicate extends BodyTest {
  readonly select: Selection;
  /** The test of many for the entries of a store, which are then read in the same pass. */
  readonly selectIn: (form: EntryForm) => EntrySelection;
}

/** Where the entries of a store say what they are and how long: numbers, for the generated code. Addresses count words of four bytes. */
export interface EntryForm {
  /** An entry whose first word has the bits `kind` of `kindMask` holds a body behind `headerBytes` and its key. */
  readonly kindMask: number;
  readonly kind: number;
  readonly headerBytes: number;
  /** The word of the header with the bytes of the body, in its low `bodyBits` bits, and of the key above. */
  readonly lengthsWord: number;
  readonly bodyBits: number;
}

/**
 * Tests the entries at the addresses `from` to `to` (exclusive), writes the places of those that match to the front of `hits` and returns
 * how many there are. `other` is asked of entries that are not of the form.
 */
export type EntrySelection = (
  bytes: Uint8Array,
  words: Uint32Array,
  addresses: Uint32Array,
  from: number,
  to: number,
  hits: Uint32Array,
  other: (address: number) => boolean,
) => number;

/** True for values that match. */
export type ValueTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Operators that compare one value with another. */
export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/** A clause that fits its schema. */
export interface CheckedClause {
  readonly path: CellPath;
  readonly op: ClauseOperator;
  readonly value: Uint8Array;
  /** The clause on a body. */
  readonly holds: BodyTest;
  /** The clause on a value; null where it asks for null. */
  readonly test: ValueTest | null;
}

/** Checks clauses; `pathOf` gives the path of a clause. Throws `BAD_REQUEST` or `SCHEMA_VIOLATION` where one does not fit. */
export function checkClauses(clauses: readonly Clause[], pathOf: (clause: Clause) => CellPath): CheckedClause[] {
  refuseTooMany(clauses.length);
  return clauses.map((clause) => checkClause(pathOf(clause), clause));
}

function checkClause(path: CellPath, { op, value }: Clause): CheckedClause {
  if (op === 'null' || op === 'notNull') {
    const isNull = op === 'null';
    return { path, op, value, holds: (bytes, at, length) => path.isNull(bytes, at, length) === isNull, test: null };
  }
  checkOperator(path, op);
  checkOperand(path.field, value);
  const test = valueTest(path.type, op, value);
  return { path, op, value, holds: anyValue(path, test), test };
}

type ValueOperator = Exclude<ClauseOperator, 'null' | 'notNull'>;

function checkOperator(path: CellPath, op: ValueOperator): void {
  if (path.isMulti && op !== 'has')
    throw badRequest(`${path.text}: many values can be asked for has, null and notNull`);
  if (!path.isMulti && op === 'has') throw badRequest(`${path.text}: has is for many values; one is asked for eq`);
  const order = orderOf(path.type);
  const possible = order === 'none' ? [] : order === 'same' ? UNORDERED : order === 'ranges' ? RANGED : ORDERED;
  if (!possible.includes(op)) throw badRequest(`${path.text}: ${op} is not for ${path.field.declaration.type}`);
}

const UNORDERED: readonly ClauseOperator[] = ['eq', 'ne', 'has'];
const ORDERED: readonly ClauseOperator[] = [...UNORDERED, 'lt', 'le', 'gt', 'ge'];
const RANGED: readonly ClauseOperator[] = [...ORDERED, 'prefix'];

/** True where a value of the path matches; of a path to one value: where that does. */
function anyValue(path: CellPath, test: ValueTest): BodyTest {
  const ranges = new ValueRanges();
  return (bytes, at, length) => {
    path.collect(bytes, at, length, ranges);
    for (let i = 0; i < ranges.count; i++) if (test(ranges.source(i), ranges.starts[i]!, ranges.ends[i]!)) return true;
    return false;
  };
}

function valueTest(type: number, op: ValueOperator, value: Uint8Array): ValueTest {
  const end = value.length;
  if (op === 'prefix') return (bytes, from, to) => hasPrefix(bytes, from, to, value);
  if (orderOf(type) === 'same') {
    const isSame = op !== 'ne';
    return (bytes, from, to) => samePosition(bytes, from, to, value, 0) === isSame;
  }
  const comparison = op === 'has' ? 'eq' : op;
  if (isFloat(type)) return floatTest(type, comparison, numberAt(type, value, 0));
  const meets = MEETS[comparison];
  return (bytes, from, to) => meets(compareValues(type, bytes, from, to, value, 0, end));
}

/** IEEE comparison, in which a NaN is unequal to everything and in no order. */
function floatTest(type: number, op: Comparison, value: number): ValueTest {
  const meets = IEEE_MEETS[op];
  return (bytes, from) => meets(numberAt(type, bytes, from), value);
}

const MEETS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

const IEEE_MEETS: Readonly<Record<Comparison, (left: number, right: number) => boolean>> = {
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  lt: (left, right) => left < right,
  le: (left, right) => left <= right,
  gt: (left, right) => left > right,
  ge: (left, right) => left >= right,
};
