import { murmur32, NiobeError, type ByteWriter } from '@niobe/kernel';
import { BodyBuilder } from './body-builder.ts';
import { orderBy, type BodyOrder, type OrderedPath } from './body-order.ts';
import { CellPath, parsePath, stepsOfClause } from './cell-path.ts';
import type { Clause } from './clause.ts';
import { checkBody } from './check.ts';
import { parseDeclaration } from './declaration.ts';
import { checkKey, decodeKey, encodeKey, hashSeedOf, partitionOfIdKey } from './key.ts';
import { addFieldBytes } from './field-bytes.ts';
import type { Field } from './field.ts';
import { fixedAt, isNullAt, isNullBefore, layOut, variableEnd, variableStart, type Layout } from './layout.ts';
import { Merger } from './merge.ts';
import { bigintAt, isInteger, numberAt } from './numbers.ts';
import { OrderKeys } from './order-keys.ts';
import { checkClauses, type Predicate } from './predicate.ts';
import { generatePredicate } from './predicate-code.ts';
import { ProjectedColumn } from './projected-column.ts';
import { Projection, type ProjectedPath, type ProjectionBounds } from './projection.ts';
import { decodeField, decodeRecord, encodeRecord } from './record.ts';
import { renewedValue } from './renew.ts';
import { REVISIONS_MAX, type CellRecord, type FieldValue, type KeyType, type SchemaDeclaration } from './types.ts';
import { violation } from './violation.ts';

/** Largest schema id; ids travel as u16 and 0 is none. */
const SCHEMA_ID_MAX = 0xffff;

/**
 * A schema ready for use: reads and writes keys and bodies of one schema, of this revision and of all before it.
 *
 * Bodies are given as a range of bytes. Readers trust their body: what came from outside goes through {@link check} first.
 */
export class CompiledSchema {
  /** Given once by name and never reused. */
  readonly id: number;
  readonly revision: number;
  readonly name: string;
  readonly declaration: SchemaDeclaration;
  readonly keyType: KeyType;
  /** False for cells that are found by id only. */
  readonly isKeyed: boolean;
  /** Seed of {@link hashKey}: differs by schema and type of key. */
  readonly hashSeed: number;
  /** In order of declaration; a field's index is its place here. */
  readonly fields: readonly Field[];
  readonly #layout: Layout;
  readonly #merger: Merger;
  readonly #builder: BodyBuilder;
  readonly #byName: ReadonlyMap<string, Field>;

  /** Use {@link compileSchema}. */
  constructor(id: number, revision: number, declaration: SchemaDeclaration) {
    this.id = id;
    this.revision = revision;
    this.name = declaration.name;
    this.declaration = declaration;
    this.keyType = declaration.key;
    this.isKeyed = declaration.key !== 'none';
    this.hashSeed = hashSeedOf(declaration.name, declaration.key);
    this.#layout = layOut(declaration.fields);
    this.fields = this.#layout.fields;
    this.#merger = new Merger(this.#layout);
    this.#builder = new BodyBuilder(this.#layout);
    this.#byName = new Map(this.fields.map((field) => [field.name, field]));
  }

  /** The field of this name; `BAD_REQUEST` naming what exists. */
  field(name: string): Field {
    const field = this.#byName.get(name);
    if (field !== undefined) return field;
    const names = this.fields.map((known) => known.name);
    throw new NiobeError('BAD_REQUEST', `${this.name} has no such field; it has ${names.join(', ')}`);
  }

  /** The path `price`, `address.city`, `lines.product`; `BAD_REQUEST` naming what exists. */
  path(text: string): CellPath {
    return new CellPath(parsePath(this.#layout, text));
  }

  /** What an index on a path stores and compares; each call gives one of its own. Throws `BAD_REQUEST`. */
  orderKeys(path: string): OrderKeys {
    return new OrderKeys(this.path(path));
  }

  /** The hash that chooses the place in the index and, unless ids do, the partition; a u32. */
  hashKey(bytes: Uint8Array, at: number, length: number): number {
    return murmur32(bytes, at, at + length, this.hashSeed);
  }

  /**
   * The partition in which the key's cell lives: of a key made of ids the one that its first id names, of others the one their hash
   * gives. Throws `MALFORMED` or `SCHEMA_VIOLATION` for bytes that are no such ids, or name a partition that does not exist.
   *
   * @param partitions a power of two
   */
  partitionOfKey(bytes: Uint8Array, at: number, length: number, partitions: number): number {
    const { keyType } = this;
    if (keyType === 'id' || keyType === 'pair') return partitionOfIdKey(keyType, bytes, at, length, partitions);
    return this.hashKey(bytes, at, length) & (partitions - 1);
  }

  /** Appends the bytes of a key. Throws `SCHEMA_VIOLATION` with path `key`. */
  encodeKey(key: string | number, out: ByteWriter): void {
    encodeKey(this.keyType, key, out);
  }

  decodeKey(bytes: Uint8Array, at: number, length: number): string | number {
    return decodeKey(this.keyType, bytes, at, length);
  }

  /** Throws `SCHEMA_VIOLATION` or `MALFORMED` unless the bytes are a key of this schema. */
  checkKey(bytes: Uint8Array, at: number, length: number): void {
    checkKey(this.keyType, bytes, at, length);
  }

  /** Appends the body of a record. Throws `SCHEMA_VIOLATION` with the field as path; nothing stays written then. */
  encode(record: Readonly<CellRecord>, out: ByteWriter): void {
    encodeRecord(this.#layout, this.#builder, record, out);
  }

  /** The record of a body. */
  decode(bytes: Uint8Array, at: number, length: number): CellRecord {
    return decodeRecord(this.#layout, bytes, at, length);
  }

  /** One field of a body as the application sees it. */
  read(bytes: Uint8Array, at: number, length: number, fieldIndex: number): FieldValue {
    return decodeField(this.#layout, this.fields[fieldIndex]!, bytes, at, length);
  }

  /**
   * Throws unless the bytes are a body: `MALFORMED`, `SCHEMA_VIOLATION`, `TOO_LARGE`, or `NOT_READY` where a newer revision than this
   * wrote it. O(length); allocates nothing, but for JSON.
   */
  check(bytes: Uint8Array, at: number, length: number): void {
    checkBody(this.#layout, bytes, at, length);
  }

  isNull(bytes: Uint8Array, at: number, fieldIndex: number): boolean {
    const field = this.fields[fieldIndex]!;
    return bytes[at]! < this.#layout.from ? isNullBefore(this.#layout, field, bytes, at) : isNullAt(field, bytes, at);
  }

  /**
   * A fixed field as a number: bool as 0 or 1, enum and dict as index, decimal scaled, char as code point, date as days since 1970,
   * integers beyond 2^53 rounded to the nearest double. NaN where the field is null. Allocates nothing, but for bodies that are older
   * than the last widening or default.
   */
  readNumber(bytes: Uint8Array, at: number, fieldIndex: number): number {
    const layout = this.#layout;
    const field = this.fields[fieldIndex]!;
    if (bytes[at]! < layout.from) return this.#renewedNumber(field, bytes, at);
    return isNullAt(field, bytes, at) ? NaN : numberAt(field.type, bytes, fixedAt(layout, field, bytes, at));
  }

  #renewedNumber(field: Field, bytes: Uint8Array, at: number): number {
    const value = renewedValue(this.#layout, field, bytes, at, 0);
    return value === null ? NaN : numberAt(field.type, value, 0);
  }

  /** An integer, decimal (scaled), timestamp, date or id exactly; 0n where the field is null. */
  readBigint(bytes: Uint8Array, at: number, fieldIndex: number): bigint {
    const field = this.fields[fieldIndex]!;
    if (!isInteger(field.type)) throw violation(field.name, `${field.declaration.type} is no integer type`);
    if (bytes[at]! < this.#layout.from) {
      const value = renewedValue(this.#layout, field, bytes, at, 0);
      return value === null ? 0n : bigintAt(field.type, value, 0);
    }
    return isNullAt(field, bytes, at) ? 0n : bigintAt(field.type, bytes, fixedAt(this.#layout, field, bytes, at));
  }

  /** Where a text, bytes or array field begins in `bytes`. Not for a null, nor for bodies older than the last widening or default. */
  rangeStart(bytes: Uint8Array, at: number, length: number, fieldIndex: number): number {
    return variableStart(this.#layout, this.fields[fieldIndex]!, bytes, at, length);
  }

  /** Where a text, bytes or array field ends in `bytes`. Not for a null. */
  rangeEnd(bytes: Uint8Array, at: number, length: number, fieldIndex: number): number {
    return variableEnd(this.#layout, this.fields[fieldIndex]!, bytes, at, length);
  }

  /**
   * Adds the bytes that each field of a body takes to `into`, by index of the field; the rest of the body says how it is laid out. Allocates
   * nothing.
   */
  addFieldBytes(bytes: Uint8Array, at: number, length: number, into: Float64Array): void {
    addFieldBytes(this.#layout, bytes, at, length, into);
  }

  /** A writer of bodies without objects; each builder writes one body at a time. */
  bodyBuilder(): BodyBuilder {
    return new BodyBuilder(this.#layout);
  }

  /**
   * Joins a stored body with a delta as the fields' merge operators say, writes the result to `out` at `outAt` and returns its length,
   * at most {@link mergedBytesMax}. Throws `OVERFLOW` naming the field; the stored body is never touched. Allocates nothing.
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
    return this.#merger.merge(old, oldAt, oldLength, delta, deltaAt, deltaLength, out, outAt);
  }

  /** Room that {@link merge} needs. */
  mergedBytesMax(oldLength: number, deltaLength: number): number {
    return this.#merger.mergedBytesMax(oldLength, deltaLength);
  }

  /** A test that runs on bytes and is true where all clauses hold. Throws `BAD_REQUEST` or `SCHEMA_VIOLATION`. */
  compilePredicate(clauses: readonly Clause[]): Predicate {
    const checked = checkClauses(clauses, (clause) => new CellPath(stepsOfClause(this.#layout, clause)));
    return generatePredicate(this.#layout, checked);
  }

  /** Columns of some paths, to be filled from bodies. Throws `BAD_REQUEST`. */
  compileProjection(paths: readonly ProjectedPath[], bounds: ProjectionBounds): Projection {
    return new Projection(
      paths.map(({ path, exact = false }) => new ProjectedColumn(this.path(path), exact)),
      bounds,
    );
  }

  /** An order of bodies by the first path in which they differ. Throws `BAD_REQUEST`. */
  compileOrder(paths: readonly OrderedPath[]): BodyOrder {
    return orderBy(paths.map(({ path, descending = false }) => ({ path: this.path(path), descending })));
  }
}

/**
 * Compiles a declaration from anywhere; throws `BAD_DECLARATION` listing every problem with its path.
 *
 * @param id 1 to 65,535 @param revision 1 to 65,535
 */
export function compileSchema(id: number, revision: number, declaration: unknown): CompiledSchema {
  if (!isNumber(id, SCHEMA_ID_MAX) || !isNumber(revision, REVISIONS_MAX)) {
    throw new NiobeError('BAD_DECLARATION', `schema id ${id}, revision ${revision}: both are 1 to ${SCHEMA_ID_MAX}`);
  }
  return new CompiledSchema(id, revision, parseDeclaration(declaration));
}

/** Compiles the clauses of a predicate for a schema; see {@link CompiledSchema.compilePredicate}. */
export function compilePredicate(schema: CompiledSchema, clauses: readonly Clause[]): Predicate {
  return schema.compilePredicate(clauses);
}

function isNumber(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
