import type { CellRecord, CompiledSchema } from '@niobe/cells';
import type { GetReply } from '../frames/get.ts';
import type { CellColumns } from './get-run.ts';
import type { KeyBatch } from './key-batch.ts';

/** Version of a cell's last write. */
export interface Version {
  readonly epoch: number;
  readonly seq: number;
}

/** A cell as the application sees it. */
export interface Cell {
  /** Names the cell until it is deleted, and never another; a key that is written again gets a new one. */
  readonly id: number;
  readonly record: CellRecord;
  readonly version: Version;
  /** Unix seconds; 0 = never. */
  readonly expiresS: number;
}

/** What was found for the keys of a {@link KeyBatch}, as columns: bodies stay in the frames they came in until they are read. */
export class CellBatch implements CellColumns {
  readonly idsOnly = false;
  /** Keys that were asked for. */
  readonly length: number;
  readonly #schemas: readonly CompiledSchema[];
  readonly #frames: (Uint8Array | null)[];
  readonly #ids: Float64Array;
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
    this.#ids = new Float64Array(length);
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

  /** The id of a found cell. */
  id(index: number): number {
    return this.#ids[index]!;
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

  /** Id, record, version and expiry of key `index`, or null where there is no cell. */
  cell(index: number): Cell | null {
    const record = this.record(index);
    if (record === null) return null;
    const version = { epoch: this.#epochs[index]!, seq: this.#seqs[index]! };
    return { id: this.#ids[index]!, record, version, expiresS: this.#expires[index]! };
  }

  /** Takes the present cell of a reply. Throws what the schema says of a body that is none. */
  take(index: number, reply: GetReply): void {
    this.#schemas[index]!.check(reply.bytes, reply.bodyAt, reply.bodyBytes);
    this.#frames[index] = reply.bytes;
    this.#ids[index] = reply.id;
    this.#epochs[index] = reply.epoch;
    this.#seqs[index] = reply.seq;
    this.#expires[index] = reply.expiresS;
    this.#bodyAts[index] = reply.bodyAt;
    this.#bodyLengths[index] = reply.bodyBytes;
  }
}
