import { compareRanges, NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';
import { fixedAt, isNullAt, TYPE, variableEnd, variableStart, type Field, type Layout } from './layout.ts';
import { checkScalar, compareFixed, variableBytes, writeFixed } from './scalar.ts';
import type { ScalarValue } from './types.ts';
import { violation } from './violation.ts';
import { f64At } from './words.ts';

/**
 * Conditions on fields that run on the bytes of a body. A predicate is the conjunction of its clauses. A null meets only `null`; a NaN
 * only `ne`.
 */

export type ClauseOperator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'null' | 'notNull';

/** `value` in the encoding of the field's type (see `encodeScalar`); empty for `null` and `notNull`. */
export interface Clause {
  readonly field: number;
  readonly op: ClauseOperator;
  readonly value: Uint8Array;
}

/** True for bodies that match; the bytes must be a checked body. */
export type Predicate = (bytes: Uint8Array, at: number, length: number) => boolean;

/** Clauses of one predicate. */
export const CLAUSES_MAX = 32;
/** Bytes of one clause's value. */
export const CLAUSE_VALUE_BYTES_MAX = 4096;

/** Numbers of the operators on the wire are their places here: append only. */
const OPERATORS: readonly ClauseOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'null', 'notNull'];
const NO_BYTES = new Uint8Array(0);

/** The bytes of a value to compare a field with. Throws `SCHEMA_VIOLATION`. */
export function encodeScalar(field: Field, value: ScalarValue): Uint8Array {
  if (field.bytes === 0) return variableBytes(field, value).slice();
  const bytes = new Uint8Array(field.bytes);
  writeFixed(field, bytes, 0, value);
  return bytes;
}

/** Compiles clauses; throws `BAD_REQUEST` or `SCHEMA_VIOLATION` where one does not fit the schema. */
export function compileClauses(layout: Layout, clauses: readonly Clause[]): Predicate {
  if (clauses.length > CLAUSES_MAX) throw badRequest(`${clauses.length} clauses exceed ${CLAUSES_MAX}`);
  const tests = clauses.map((clause) => compileClause(layout, clause));
  if (tests.length === 1) return tests[0]!;
  return (bytes, at, length) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(bytes, at, length)) return false;
    return true;
  };
}

function compileClause(layout: Layout, clause: Clause): Predicate {
  const field = layout.fields[clause.field];
  if (field === undefined) throw badRequest(`the schema has no field ${clause.field}`);
  if (clause.op === 'null') return (bytes, at) => isNullAt(field, bytes, at);
  if (clause.op === 'notNull') return (bytes, at) => !isNullAt(field, bytes, at);
  if (field.array) throw badRequest(`${field.name}: an array can only be asked for null and notNull`);
  if (field.bytes > 0 && clause.value.length !== field.bytes)
    throw violation(field.name, 'a value of the wrong length');
  checkScalar(field, clause.value, 0, clause.value.length);
  const meets = MEETS[clause.op];
  const { value } = clause;
  if (field.bytes === 0) return compileVariable(layout, field, value, meets);
  if (field.type === TYPE.f64) return compileDouble(layout, field, f64At(value, 0), clause.op);
  return (bytes, at) =>
    !isNullAt(field, bytes, at) && meets(compareFixed(field.type, bytes, fixedAt(layout, field, bytes, at), value, 0));
}

function compileVariable(
  layout: Layout,
  field: Field,
  value: Uint8Array,
  meets: (order: number) => boolean,
): Predicate {
  return (bytes, at, length) => {
    if (isNullAt(field, bytes, at)) return false;
    const start = variableStart(layout, field, bytes, at, length);
    const end = variableEnd(layout, field, bytes, at, length);
    return meets(compareRanges(bytes, start, end, value, 0, value.length));
  };
}

/** IEEE comparison, in which a NaN is unequal to everything and in no order. */
function compileDouble(layout: Layout, field: Field, value: number, op: Comparison): Predicate {
  const meets = IEEE_MEETS[op];
  return (bytes, at) => !isNullAt(field, bytes, at) && meets(f64At(bytes, fixedAt(layout, field, bytes, at)), value);
}

type Comparison = Exclude<ClauseOperator, 'null' | 'notNull'>;

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

/** Wire form: `u8 count`, then per clause `u8 field, u8 operator, u16 bytes, value`. */
export function writeClauses(clauses: readonly Clause[], out: ByteWriter): void {
  if (clauses.length > CLAUSES_MAX) throw badRequest(`${clauses.length} clauses exceed ${CLAUSES_MAX}`);
  out.u8(clauses.length);
  for (const clause of clauses) {
    if (clause.value.length > CLAUSE_VALUE_BYTES_MAX)
      throw badRequest(`a value exceeds ${CLAUSE_VALUE_BYTES_MAX} bytes`);
    out.u8(clause.field);
    out.u8(OPERATORS.indexOf(clause.op));
    out.u16(clause.value.length);
    out.raw(clause.value);
  }
}

/** Reads what {@link writeClauses} wrote; throws `MALFORMED` or `BAD_REQUEST`. Values are views of the reader's bytes. */
export function readClauses(reader: ByteReader): Clause[] {
  const count = reader.u8();
  if (count > CLAUSES_MAX) throw badRequest(`${count} clauses exceed ${CLAUSES_MAX}`);
  const clauses: Clause[] = [];
  for (let i = 0; i < count; i++) {
    const field = reader.u8();
    const op = OPERATORS[reader.u8()];
    if (op === undefined) throw badRequest('a clause with an operator that is not known');
    const length = reader.u16();
    if (length > CLAUSE_VALUE_BYTES_MAX) throw badRequest(`a value exceeds ${CLAUSE_VALUE_BYTES_MAX} bytes`);
    clauses.push({ field, op, value: length === 0 ? NO_BYTES : reader.raw(length) });
  }
  return clauses;
}

function badRequest(message: string): NiobeError {
  return new NiobeError('BAD_REQUEST', message);
}
