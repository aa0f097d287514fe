import type { CellRecord, CompiledSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import { SCAN_END, type PartitionStore, type WriteStatus } from '@niobe/store';

const CELL_BYTES_MAX = 2 * 1024 * 1024;

/** A store that is spoken to in keys and records instead of byte ranges. */
export class SpokenStore {
  readonly store: PartitionStore;
  readonly #out = new ByteWriter(CELL_BYTES_MAX, 64 * 1024);

  constructor(store: PartitionStore) {
    this.store = store;
  }

  put(schema: CompiledSchema, key: string | number, record: CellRecord, expiresS = 0): WriteStatus {
    const keyBytes = this.#write(schema, key, record);
    const { buffer, length } = this.#out;
    return this.store.put(schema.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, expiresS);
  }

  putIfAbsent(schema: CompiledSchema, key: string | number, record: CellRecord, expiresS = 0): WriteStatus {
    const keyBytes = this.#write(schema, key, record);
    const { buffer, length } = this.#out;
    return this.store.putIfAbsent(schema.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, expiresS);
  }

  replace(schema: CompiledSchema, key: string | number, record: CellRecord, epoch: number, seq: number): WriteStatus {
    const keyBytes = this.#write(schema, key, record);
    const { buffer, length } = this.#out;
    return this.store.replace(schema.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, 0, epoch, seq);
  }

  merge(schema: CompiledSchema, key: string | number, record: CellRecord, expiresS = 0): WriteStatus {
    const keyBytes = this.#write(schema, key, record);
    const { buffer, length } = this.#out;
    return this.store.merge(schema.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, expiresS);
  }

  delete(schema: CompiledSchema, key: string | number, epoch = 0, seq = 0): WriteStatus {
    const keyBytes = this.#write(schema, key, null);
    return this.store.delete(schema.id, this.#out.buffer, 0, keyBytes, epoch, seq);
  }

  /** Writes a cell without key and returns its id. */
  create(schema: CompiledSchema, record: CellRecord, expiresS = 0): number {
    this.#writeBody(schema, record);
    return this.store.idOf(this.store.create(schema.id, this.#out.buffer, 0, this.#out.length, expiresS));
  }

  /** Overwrites the cell of an id, which must be there. */
  overwrite(schema: CompiledSchema, id: number, record: CellRecord, expiresS = 0): WriteStatus {
    this.#writeBody(schema, record);
    return this.store.overwrite(this.store.slotOfId(id), this.#out.buffer, 0, this.#out.length, expiresS);
  }

  /** Deletes the cell of an id, which must be there. */
  remove(id: number): void {
    this.store.remove(this.store.slotOfId(id));
  }

  /** Slot of a key's cell, -1 where there is none. */
  find(schema: CompiledSchema, key: string | number): number {
    const keyBytes = this.#write(schema, key, null);
    return this.store.find(schema.id, this.#out.buffer, 0, keyBytes);
  }

  /** The record in a slot. */
  recordOf(schema: CompiledSchema, slot: number): CellRecord {
    return schema.decode(this.store.bytes, this.store.bodyStart(slot), this.store.bodyBytes(slot));
  }

  /** The key in a slot, or the id where the schema has no keys. */
  nameOf(schema: CompiledSchema, slot: number): string | number {
    if (!schema.isKeyed) return this.store.idOf(slot);
    return schema.decodeKey(this.store.bytes, this.store.keyStart(slot), this.store.keyBytes(slot));
  }

  /** Runs `work` as one batch; rolls back and rethrows where it throws. */
  batch(work: () => void): { readonly epoch: number; readonly seq: number } {
    this.store.begin();
    try {
      work();
      return this.store.commit();
    } catch (error) {
      this.store.rollback();
      throw error;
    }
  }

  /** Visits the slots of all cells of a schema. */
  each(schema: CompiledSchema, visit: (slot: number) => void): void {
    for (let cursor = 0; cursor !== SCAN_END;) cursor = this.store.scan(schema.id, null, cursor, 1000, 1000, visit);
  }

  #writeBody(schema: CompiledSchema, record: CellRecord): void {
    this.#out.reset();
    schema.encode(record, this.#out);
  }

  #write(schema: CompiledSchema, key: string | number, record: CellRecord | null): number {
    this.#out.reset();
    schema.encodeKey(key, this.#out);
    const keyBytes = this.#out.length;
    if (record !== null) schema.encode(record, this.#out);
    return keyBytes;
  }
}
