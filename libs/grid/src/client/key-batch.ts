import type { CompiledSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import { appendRange } from '../frames/byte-range.ts';
import { WAITING_BYTES_MAX } from '../limits.ts';

const KEYS_START_BYTES = 4096;

/** The keys of one read, as columns. */
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
    return this.#end(schema, at, partitions);
  }

  /** Adds the key that lies encoded in `bytes[at, at + length)` and returns its index. */
  addRange(schema: CompiledSchema, bytes: Uint8Array, at: number, length: number, partitions: number): number {
    const to = this.keys.length;
    appendRange(this.keys, bytes, at, length);
    return this.#end(schema, to, partitions);
  }

  /** Ends the key that was written from `at` on. */
  #end(schema: CompiledSchema, at: number, partitions: number): number {
    const end = this.keys.length;
    try {
      this.partitions.push(schema.partitionOfKey(this.keys.buffer, at, end - at, partitions));
    } catch (error) {
      this.keys.truncate(at);
      throw error;
    }
    this.schemas.push(schema);
    return this.keyEnds.push(end) - 1;
  }

  keyAt(index: number): number {
    return index === 0 ? 0 : this.keyEnds[index - 1]!;
  }
}
