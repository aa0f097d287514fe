import { compileSchema, type BodyBuilder, type CompiledSchema } from '@niobe/cells';
import type { EventValue } from '@niobe/events';
import { OpKind, type SectionBuilder } from '@niobe/grid';
import { assert, ByteWriter } from '@niobe/kernel';
import type { IdCache } from '../keys/id-cache.ts';
import { readIds } from '../keys/id-reading.ts';
import type { IdSource } from '../keys/id-source.ts';
import { widened } from '../keys/key-rows.ts';
import { VertexIds } from '../keys/vertex-ids.ts';
import { MergedValues } from './merged-values.ts';
import { toldFields } from './registered-sets.ts';

/**
 * The vertices of one schema that one run names: their keys, their ids where these are known, and what the run tells of their fields.
 *
 * A vertex is written as a merge. Its delta is a body that ends with the last field that is told, as if an older revision of the schema
 * had written it: the fields behind stay as they are, and a vertex that is only named, with a body of no fields at all, is made where
 * there is none. One whose id is known and of which nothing is told needs no operation.
 */

/** Keys of one run. */
export const RUN_KEY_BYTES_MAX: number = 16 * 1024 * 1024;
/** Header of a merge operation in a frame. */
const OP_BYTES = 16;
const NO_ROW = -1;
const SMALLEST_ROWS = 256;
const NO_FIELDS = new Uint8Array(1);

export class VertexRows {
  readonly schema: CompiledSchema;
  readonly ids: VertexIds;
  readonly values: MergedValues;
  readonly #cache: IdCache;
  readonly #key = new ByteWriter(1024);
  /** By number of fields that are told; made when first needed. */
  readonly #builders: (BodyBuilder | undefined)[] = [];
  /** Bytes of the body of a vertex of which all is told, a bound but for its texts. */
  readonly #bodyBytes: number;
  /** By grid partition: the last row that needs an operation, and from there by row the one before; -1 ends. */
  readonly #last: Int32Array;
  #before = new Int32Array(SMALLEST_ROWS);
  /** 1: the row needs an operation. */
  #isWritten = new Uint8Array(SMALLEST_ROWS);
  #ops = 0;
  /** Rows whose ids are to be read; 1 in {@link #isWanted} for each. */
  #wanted = new Uint32Array(SMALLEST_ROWS);
  #isWanted = new Uint8Array(SMALLEST_ROWS);
  #wantedRows = 0;

  /** @param partitions grid partitions. */
  constructor(schema: CompiledSchema, partitions: number, cache: IdCache) {
    this.schema = schema;
    this.ids = new VertexIds(schema, partitions, 2 * RUN_KEY_BYTES_MAX);
    this.values = new MergedValues(schema);
    this.#cache = cache;
    this.#bodyBytes = schema.fields.reduce((bytes, field) => bytes + field.bytes + VARIABLE_BYTES, 1);
    this.#last = new Int32Array(partitions).fill(NO_ROW);
  }

  /** Vertices that need an operation. */
  get ops(): number {
    return this.#ops;
  }

  /** The row of a key as an event has it; -1 where it is absent, empty, or no key of the schema. */
  row(key: EventValue): number {
    const out = this.#key;
    out.reset();
    if (typeof key === 'string') out.utf8(key);
    else if (typeof key === 'number') this.schema.encodeKey(key, out);
    if (out.length === 0) return NO_ROW;
    const { rows } = this.ids.keys;
    const row = this.ids.row(out.buffer, 0, out.length);
    if (row === rows) this.#open(row);
    return row;
  }

  #open(row: number): void {
    if (row === this.#before.length) {
      this.#before = widened(this.#before, new Int32Array(2 * row));
      this.#isWritten = widened(this.#isWritten, new Uint8Array(2 * row));
      this.#wanted = widened(this.#wanted, new Uint32Array(2 * row));
      this.#isWanted = widened(this.#isWanted, new Uint8Array(2 * row));
    }
    this.#isWritten[row] = this.#isWanted[row] = 0;
    this.values.open(row);
    this.#cache.fill(this.ids, row);
  }

  /**
   * An event that the row's grid partition does not have names the vertex and, if `tells`, something of its fields.
   * @returns bytes of the operation that this makes necessary, a bound from above but for texts; 0 if it was or none is.
   */
  touch(row: number, tells: boolean): number {
    if (this.#isWritten[row] === 1 || (!tells && this.ids.isKnown(row))) return 0;
    const { keys } = this.ids;
    const partition = keys.partition(row);
    this.#isWritten[row] = 1;
    this.#before[row] = this.#last[partition]!;
    this.#last[partition] = row;
    this.#ops += 1;
    return OP_BYTES + keys.keyEnd(row) - keys.keyStart(row) + this.#bodyBytes;
  }

  /** Appends the operations of a grid partition, by way of `scratch`. */
  writeOps(partition: number, section: SectionBuilder, scratch: ByteWriter): void {
    for (let row = this.#last[partition]!; row !== NO_ROW; row = this.#before[row]!)
      this.#writeOp(row, section, scratch);
  }

  #writeOp(row: number, section: SectionBuilder, scratch: ByteWriter): void {
    const { keys } = this.ids;
    const start = keys.keyStart(row);
    const keyBytes = keys.keyEnd(row) - start;
    const told = toldFields(this.schema, this.values.told(row));
    scratch.reset();
    if (told === 0) scratch.raw(NO_FIELDS);
    else this.#writeBody(row, told, scratch);
    section.op(OpKind.MERGE, this.schema.id, 0, keys.bytes, start, keyBytes, scratch.buffer, 0, scratch.length);
  }

  #writeBody(row: number, told: number, scratch: ByteWriter): void {
    const builder = (this.#builders[told] ??= this.#builderOf(told));
    builder.begin(scratch);
    this.values.write(row, told, builder);
    builder.end();
  }

  /** A writer of bodies with the first `fields` fields. */
  #builderOf(fields: number): BodyBuilder {
    const { id, revision, declaration } = this.schema;
    if (fields === this.schema.fields.length) return this.schema.bodyBuilder();
    const first = Object.fromEntries(Object.entries(declaration.fields).slice(0, fields));
    assert(Object.keys(first).length === fields, 'no more is told than there are fields');
    return compileSchema(id, revision, { name: declaration.name, key: declaration.key, fields: first }).bodyBuilder();
  }

  /** The id of a row will be needed. */
  wantId(row: number): void {
    if (this.#isWanted[row] === 1 || this.ids.isKnown(row)) return;
    this.#isWanted[row] = 1;
    this.#wanted[this.#wantedRows++] = row;
  }

  /** Reads the ids that are wanted; those of cells that do not exist stay unknown. Throws a `NiobeError`, and may be called again. */
  async readIds(source: IdSource, deadlineMs: number): Promise<void> {
    await readIds(source, this.ids, this.#wanted, this.#wantedRows, deadlineMs);
    for (let i = 0; i < this.#wantedRows; i++)
      if (this.ids.isKnown(this.#wanted[i]!)) this.#cache.remember(this.ids, this.#wanted[i]!);
    this.#wantedRows = 0;
  }

  /** Forgets the run and keeps the room. */
  clear(): void {
    this.ids.clear();
    this.values.clear();
    this.#last.fill(NO_ROW);
    this.#ops = this.#wantedRows = 0;
  }
}

/** Bytes of the end offset and the null bit of a field, generously. */
const VARIABLE_BYTES = 5;
