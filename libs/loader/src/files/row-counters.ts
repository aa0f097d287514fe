import type { BodyBuilder, CompiledSchema } from '@niobe/cells';
import { OpKind, type SectionBuilder } from '@niobe/grid';
import { ByteWriter, NiobeError } from '@niobe/kernel';
import type { CounterColumn } from './counter-columns.ts';
import type { RowFields } from './row-fields.ts';

/** Bodies of one run. */
const BODY_BYTES_MAX: number = 64 * 1024 * 1024;
const OP_BYTES = 16;
const PAIR_BYTES = 16;
const NONE = -1;
const INTEGER = /^-?\d{1,20}$/;
const TEXT_SHOWN = 40;

const decoder = new TextDecoder();

/**
 * What the rows of a run add to the counters of their edges: a merge for each row, and for each of its lines once. Other than links
 * merges are not to be repeated, so a line that a grid partition has already is passed over.
 */
export class RowCounters {
  readonly #schema: CompiledSchema;
  readonly #columns: readonly CounterColumn[];
  readonly #builder: BodyBuilder;
  readonly #bodies = new ByteWriter(BODY_BYTES_MAX);
  readonly #key = new ByteWriter(PAIR_BYTES);
  /** By row: its line, where its body ends, its pair, and the row before whose counters are in the same grid partition. */
  readonly #lines: Float64Array;
  readonly #ends: Uint32Array;
  readonly #pairs: Float64Array;
  readonly #before: Int32Array;
  /** By grid partition: its last row, and the bytes of its operations. */
  readonly #last: Int32Array;
  readonly #bytes: Uint32Array;

  /**
   * @param columns none: each row counts 1.
   * @param rowsMax rows of a run.
   */
  constructor(schema: CompiledSchema, columns: readonly CounterColumn[], rowsMax: number, partitions: number) {
    this.#schema = schema;
    this.#columns = columns;
    this.#builder = schema.bodyBuilder();
    this.#lines = new Float64Array(rowsMax);
    this.#ends = new Uint32Array(rowsMax);
    this.#pairs = new Float64Array(2 * rowsMax);
    this.#before = new Int32Array(rowsMax);
    this.#last = new Int32Array(partitions);
    this.#bytes = new Uint32Array(partitions);
  }

  /**
   * Takes what a row tells and returns the bytes of its operation. Throws `SCHEMA_VIOLATION`, and nothing is taken, where a column holds
   * no value of its counter.
   */
  add(row: number, line: number, bytes: Uint8Array, fields: RowFields): number {
    const start = this.#bodies.length;
    this.#builder.begin(this.#bodies);
    try {
      if (this.#columns.length === 0) this.#builder.setNumber(0, 1);
      for (const { column, field } of this.#columns)
        if (column < fields.count) this.#set(field, bytes, fields.starts[column]!, fields.ends[column]!);
      this.#builder.end();
    } catch (error) {
      this.#builder.abandon();
      throw error;
    }
    this.#lines[row] = line;
    this.#ends[row] = this.#bodies.length;
    return OP_BYTES + PAIR_BYTES + this.#bodies.length - start;
  }

  /** An empty column adds nothing. */
  #set(field: number, bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const { declaration, name } = this.#schema.fields[field]!;
    const text = decoder.decode(bytes.subarray(start, end));
    if (declaration.type === 'decimal') this.#builder.setValue(field, text);
    else if (declaration.type === 'f64' && Number.isFinite(Number(text))) this.#builder.setNumber(field, Number(text));
    else if (INTEGER.test(text)) this.#builder.setBigint(field, BigInt(text));
    else throw new NiobeError('SCHEMA_VIOLATION', `${name}: "${text.slice(0, TEXT_SHOWN)}" is no ${declaration.type}`);
  }

  /** Begins to place rows. */
  begin(): void {
    this.#last.fill(NONE);
    this.#bytes.fill(0);
  }

  /** The counters of a row are those of the pair, in the partition of its first id. @param done lines below are in there. */
  place(row: number, first: number, second: number, partition: number, done: number): void {
    if (this.#lines[row]! < done) return;
    this.#pairs[2 * row] = first;
    this.#pairs[2 * row + 1] = second;
    this.#before[row] = this.#last[partition]!;
    this.#last[partition] = row;
    this.#bytes[partition]! += OP_BYTES + PAIR_BYTES + this.#ends[row]! - this.#startOf(row);
  }

  opBytes(partition: number): number {
    return this.#bytes[partition]!;
  }

  /** Appends the merges of a grid partition. */
  writeOps(partition: number, section: SectionBuilder): void {
    const key = this.#key;
    const { buffer: bodies } = this.#bodies;
    for (let row = this.#last[partition]!; row !== NONE; row = this.#before[row]!) {
      key.reset();
      key.u53(this.#pairs[2 * row]!);
      key.u53(this.#pairs[2 * row + 1]!);
      const start = this.#startOf(row);
      const bytes = this.#ends[row]! - start;
      section.op(OpKind.MERGE, this.#schema.id, 0, key.buffer, 0, PAIR_BYTES, bodies, start, bytes);
    }
  }

  #startOf(row: number): number {
    return row === 0 ? 0 : this.#ends[row - 1]!;
  }

  /** Forgets the run and keeps the room. */
  clear(): void {
    this.#bodies.reset();
  }
}
