import type { CompiledSchema } from '@niobe/cells';
import { OpKind, type SectionBuilder } from '@niobe/grid';
import { PartitionBytes } from '../fold/partition-bytes.ts';
import { readIds } from '../keys/id-reading.ts';
import type { IdSource } from '../keys/id-source.ts';
import { widened } from '../keys/key-rows.ts';
import { VertexIds } from '../keys/vertex-ids.ts';
import { IntegerKeys } from './integer-keys.ts';
import { NO_KEY, type KeyReader } from './key-reader.ts';
import { TextKeys } from './text-keys.ts';

/** Vertices of one schema that a load remembers; above it, and above as many bytes of keys, it forgets all before the next run. */
const REMEMBERED_VERTICES_MAX = 4_194_304;
const REMEMBERED_KEY_BYTES_MAX: number = 128 * 1024 * 1024;
/** What is remembered, and the keys of one run. */
const KEY_BYTES_MAX: number = 256 * 1024 * 1024;
/** Header of an operation in a frame. */
const OP_BYTES = 16;
const NONE = -1;
const SMALLEST_ROWS = 1024;
/** The body of a vertex of which nothing but its key is told. As a delta it changes nothing; alone it is a vertex without fields. */
const NO_FIELDS = new Uint8Array(1);

/**
 * The vertices of one schema that a file names, with their ids. Each is written and asked for once, in the run that names it first, for
 * as long as it is remembered.
 */
export class FileVertices {
  readonly ids: VertexIds;
  readonly #keys: KeyReader;
  /** Of the operations of the run. */
  readonly #bytes: PartitionBytes;
  /** Rows below were there before the run. */
  #first = 0;
  /** By grid partition: its last new row, and from there by new row the one before; -1 ends. */
  readonly #last: Int32Array;
  #before = new Int32Array(SMALLEST_ROWS);

  /** @param partitions grid partitions. */
  constructor(schema: CompiledSchema, partitions: number) {
    this.ids = new VertexIds(schema, partitions, KEY_BYTES_MAX);
    this.#keys = schema.keyType === 'integer' ? new IntegerKeys(this.ids) : new TextKeys(this.ids);
    this.#bytes = new PartitionBytes(partitions);
    this.#last = new Int32Array(partitions).fill(NONE);
  }

  /** The most bytes that a grid partition gets in this run. */
  get largestBytes(): number {
    return this.#bytes.largest;
  }

  /** Vertices that this run is the first to name. */
  get added(): number {
    return this.ids.keys.rows - this.#first;
  }

  /** Begins a run; the vertices of the one before are in. */
  begin(): void {
    const { keys } = this.ids;
    if (keys.rows > REMEMBERED_VERTICES_MAX || keys.keyBytes > REMEMBERED_KEY_BYTES_MAX) {
      this.ids.clear();
      this.#keys.clear();
    }
    this.#first = keys.rows;
    this.#bytes.clear();
    this.#last.fill(NONE);
  }

  /** The row of the key that stands in `bytes[start, end)`; -1 where it is no key of the schema. */
  row(bytes: Uint8Array, start: number, end: number): number {
    const { rows } = this.ids.keys;
    const row = this.#keys.row(bytes, start, end);
    if (row === rows && row !== NO_KEY) this.#open(row);
    return row;
  }

  #open(row: number): void {
    const { keys } = this.ids;
    const added = row - this.#first;
    if (added === this.#before.length) this.#before = widened(this.#before, new Int32Array(2 * added));
    const partition = keys.partition(row);
    this.#before[added] = this.#last[partition]!;
    this.#last[partition] = row;
    this.#bytes.add(partition, OP_BYTES + keys.keyEnd(row) - keys.keyStart(row) + NO_FIELDS.length);
  }

  /** Bytes of the operations that make a grid partition's new vertices. */
  opBytes(partition: number): number {
    return this.#bytes.of(partition);
  }

  /** Appends them. */
  writeOps(partition: number, section: SectionBuilder): void {
    const { keys } = this.ids;
    for (let row = this.#last[partition]!; row !== NONE; row = this.#before[row - this.#first]!) {
      const start = keys.keyStart(row);
      const keyBytes = keys.keyEnd(row) - start;
      section.op(OpKind.MERGE, keys.schema.id, 0, keys.bytes, start, keyBytes, NO_FIELDS, 0, NO_FIELDS.length);
    }
  }

  /** Reads the ids of the new vertices, which are in; those of cells that were deleted since stay unknown. Throws a `NiobeError`. */
  readIds(source: IdSource, deadlineMs: number): Promise<void> {
    const rows = new Uint32Array(this.added);
    for (let i = 0; i < rows.length; i++) rows[i] = this.#first + i;
    return readIds(source, this.ids, rows, rows.length, deadlineMs);
  }
}
