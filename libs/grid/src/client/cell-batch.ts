import type { CellRecord, CompiledSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import type { GetReply } from '../frames/get.ts';
import { WAITING_BYTES_MAX } from '../limits.ts';
import { partitionOf } from '../placement.ts';

/** Version of a cell's last write. */
export interface Version {
  readonly epoch: number;
  readonly seq: number;
}

/** A cell as the application sees it. */
export interface Cell {
  readonly record: CellRecord;
  readonly version: Version;
  /** Unix seconds; 0 = never. */
  readonly expiresS: number;
}

const KEYS_START_BYTES = 4096;

/** The keys of one getMany, as columns. */
export class KeyBatch {
  readonly schemas: CompiledSchema[] = [];
  readonly partitions: number[] = [];
  readonly keyEnds: number[] = [];
  readonly keys: ByteWriter = new ByteWriter(WAITING_BYTES_MAX, KEYS_START_BYTES);

  get length(): number {
    return this.schemas.length;
  }

  /** Adds a key and returns its index. Throws `SCHEMA_VIOLATION` for a key that is none of its schema. */
  add(schema: CompiledSchema, key: string | number, partitions: number): number {
    const at = this.keys.length;
    schema.encodeKey(key, this.keys);
    const end = this.keys.length;
    this.schemas.push(schema);
    this.keyEnds.push(end);
    return this.partitions.push(partitionOf(this.keys.buffer, at, end - at, schema.hashSeed, partitions)) - 1;
  }

  keyAt(index: number): number {
    return index === 0 ? 0 : this.keyEnds[index - 1]!;
  }
}

/** What was found for the keys of a {@link KeyBatch}, as columns: bodies stay in the frames they came in until they are read. */
export class CellBatch {
  /** Keys that were asked for. */
  readonly length: number;
  readonly #schemas: readonly CompiledSchema[];
  readonly #frames: (Uint8Array | null)[];
  readonly #epochs: Uint32Array;
  readonly #seqs: Float64Array;
  readonly #expires: Uint32Array;
  readonly #bodyAts: Uint32Array;
  readonly #bodyLengths: Uint32Array;

  constructor(keys: KeyBatch) {
    const { length } = keys;
    this.length = length;
    this.#schemas = keys.schemas;
    this.#frames = Array.from<Uint8Array | null>({ length }).fill(null);
    this.#epochs = new Uint32Array(length);
    this.#seqs = new Float64Array(length);
    this.#expires = new Uint32Array(length);
    this.#bodyAts = new Uint32Array(length);
    this.#bodyLengths = new Uint32Array(length);
  }

  /** Whether there is a cell for key `index`. */
  found(index: number): boolean {
    return this.#frames[index] != null;
  }

  /** The bytes that hold the body of a found cell, at {@link bodyAt} for {@link bodyBytes}. */
  bytes(index: number): Uint8Array {
    return this.#frames[index]!;
  }

  bodyAt(index: number): number {
    return this.#bodyAts[index]!;
  }

  bodyBytes(index: number): number {
    return this.#bodyLengths[index]!;
  }

  /** The record of key `index`, or null where there is no cell. */
  record(index: number): CellRecord | null {
    const frame = this.#frames[index];
    if (frame == null) return null;
    return this.#schemas[index]!.decode(frame, this.#bodyAts[index]!, this.#bodyLengths[index]!);
  }

  /** Record, version and expiry of key `index`, or null where there is no cell. */
  cell(index: number): Cell | null {
    const record = this.record(index);
    if (record === null) return null;
    const version = { epoch: this.#epochs[index]!, seq: this.#seqs[index]! };
    return { record, version, expiresS: this.#expires[index]! };
  }

  /** Takes the present cell of a reply. Throws what the schema says of a body that is none. */
  take(index: number, reply: GetReply): void {
    this.#schemas[index]!.check(reply.bytes, reply.bodyAt, reply.bodyBytes);
    this.#frames[index] = reply.bytes;
    this.#epochs[index] = reply.epoch;
    this.#seqs[index] = reply.seq;
    this.#expires[index] = reply.expiresS;
    this.#bodyAts[index] = reply.bodyAt;
    this.#bodyLengths[index] = reply.bodyBytes;
  }
}
