import { NiobeError, type ByteReader, type ByteWriter } from '@niobe/kernel';

/**
 * Conditions on the fields of a body. A predicate is the conjunction of its clauses. A null meets only `null`; a NaN only `ne`.
 *
 * `prefix` is for text and bytes. `has` is for paths with many values and is true where one of them is the value; such paths can also
 * be asked for `null` and `notNull`, which then ask for the (outermost) array itself.
 */

export type ClauseOperator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'null' | 'notNull' | 'prefix' | 'has';

/** See `CellPath.clause`, which makes one from a path and a value of the application. */
export interface Clause {
  readonly field: number;
  /** Fields below `field`, where the path goes on into records. */
  readonly inner?: readonly number[];
  readonly op: ClauseOperator;
  /** A value in the encoding of the field's type (see `encodeOperand`); empty for `null` and `notNull`. */
  readonly value: Uint8Array;
}

/** Clauses of one predicate. */
export const CLAUSES_MAX = 32;
/** Bytes of one clause's value. */
export const CLAUSE_VALUE_BYTES_MAX = 4096;
/** Fields below the first of a path: three bits of the wire form. */
const INNER_MAX = 7;
/** Bits of the operator in the byte that it shares with the number of inner fields. */
const OPERATOR_BITS = 5;

/** Numbers of the operators on the wire are their places here: append only. */
const OPERATORS: readonly ClauseOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'null', 'notNull', 'prefix', 'has'];
const NO_BYTES = new Uint8Array(0);

/**
 * Wire form: `u8 count`, then per clause `u8 field`, a byte of the operator (5 bits) and the number of inner fields (3 bits above), a
 * byte for each inner field, `u16 bytes`, value.
 */
export function writeClauses(clauses: readonly Clause[], out: ByteWriter): void {
  refuseTooMany(clauses.length);
  out.u8(clauses.length);
  for (const { field, inner = [], op, value } of clauses) {
    refuseTooLong(value.length);
    if (inner.length > INNER_MAX) throw badRequest(`a path of more than ${INNER_MAX + 1} fields`);
    out.u8(field);
    out.u8(OPERATORS.indexOf(op) | (inner.length << OPERATOR_BITS));
    for (const index of inner) out.u8(index);
    out.u16(value.length);
    out.raw(value);
  }
}

/** Reads what {@link writeClauses} wrote; throws `MALFORMED` or `BAD_REQUEST`. Values are views of the reader's bytes. */
export function readClauses(reader: ByteReader): Clause[] {
  const count = reader.u8();
  refuseTooMany(count);
  const clauses: Clause[] = [];
  for (let i = 0; i < count; i++) clauses.push(readClause(reader));
  return clauses;
}

function readClause(reader: ByteReader): Clause {
  const field = reader.u8();
  const operatorByte = reader.u8();
  const op = OPERATORS[operatorByte & ((1 << OPERATOR_BITS) - 1)];
  if (op === undefined) throw badRequest('a clause with an operator that is not known');
  const inner = Array.from({ length: operatorByte >>> OPERATOR_BITS }, () => reader.u8());
  const length = reader.u16();
  refuseTooLong(length);
  const value = length === 0 ? NO_BYTES : reader.raw(length);
  return inner.length === 0 ? { field, op, value } : { field, inner, op, value };
}

export function refuseTooMany(count: number): void {
  if (count > CLAUSES_MAX) throw badRequest(`${count} clauses exceed ${CLAUSES_MAX}`);
}

function refuseTooLong(length: number): void {
  if (length > CLAUSE_VALUE_BYTES_MAX) throw badRequest(`a value exceeds ${CLAUSE_VALUE_BYTES_MAX} bytes`);
}

export function badRequest(message: string): NiobeError {
  return new NiobeError('BAD_REQUEST', message);
}
