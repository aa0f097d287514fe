import { compileSchema, SchemaTable, type CellRecord, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, ManualClock } from '@niobe/kernel';
import { Arena } from '../src/arena.ts';
import { SCAN_END } from '../src/cell-reader.ts';
import type { WriteStatus } from '../src/cell-writer.ts';
import type { StoreEvents } from '../src/events.ts';
import type { PartitionStoreOptions } from '../src/partition-options.ts';
import { PartitionStore } from '../src/partition-store.ts';
import type { RecoveredSegment } from '../src/recovered-copies.ts';

/** What the store's tests share: schemas, a store with keys and records instead of byte ranges, and a backup that copies its log. */

export const MIB = 1024 * 1024;

/** Text keys, every merge operator, and a blob to give cells a size. */
export const ITEMS: CompiledSchema = compileSchema(16, 1, {
  name: 'items',
  key: 'text',
  fields: {
    label: { type: 'text', merge: 'keep' },
    count: { type: 'u64', merge: 'add' },
    high: { type: 'i64', optional: true, merge: 'max' },
    blob: { type: 'bytes', optional: true, maxBytes: MIB },
  },
});

/** Integer keys. */
export const NUMBERS: CompiledSchema = compileSchema(17, 1, {
  name: 'numbers',
  key: 'integer',
  fields: { value: { type: 'i32', merge: 'add' } },
});

/** Records as {@link ITEMS} has them, without keys. */
export const LOOSE: CompiledSchema = compileSchema(18, 1, { ...ITEMS.declaration, name: 'loose', key: 'none' });

export function newSchemas(): SchemaTable {
  const schemas = new SchemaTable();
  for (const schema of [ITEMS, NUMBERS, LOOSE]) schemas.add(schema);
  return schemas;
}

/** An items record whose cell has about `bytes` bytes. */
export function item(label: string, count: number, bytes = 0): CellRecord {
  return { label, count, high: null, blob: bytes === 0 ? null : new Uint8Array(bytes).fill(count & 0xff) };
}

/** A copy of a partition's log on another machine: gets what was appended, in order, when told to. */
export class Backup implements StoreEvents {
  store: PartitionStore | null = null;
  readonly #copies = new Map<number, ByteWriter>();
  readonly #waiting: { segment: number; bytes: Uint8Array; commitSeq: number }[] = [];
  readonly #retired: { segment: number; commitSeq: number }[] = [];
  durableSeq = 0;

  appended(segment: number, start: number, end: number, commitSeq: number): void {
    this.#waiting.push({ segment, bytes: this.store!.segmentBytes(segment).slice(start, end), commitSeq });
  }

  opened(): void {}

  sealed(): void {}

  retired(segment: number, commitSeq: number): void {
    this.#retired.push({ segment, commitSeq });
  }

  /** Lets up to `count` appends arrive, then frees the segments whose survivors have. */
  ship(count = Infinity): void {
    for (const append of this.#waiting.splice(0, count)) {
      const copy = this.#copies.get(append.segment) ?? new ByteWriter(16 * MIB, 64 * 1024);
      this.#copies.set(append.segment, copy);
      copy.raw(append.bytes);
      this.durableSeq = append.commitSeq;
    }
    while (this.#retired.length > 0 && this.#retired[0]!.commitSeq <= this.durableSeq) {
      const { segment } = this.#retired.shift()!;
      this.#copies.delete(segment);
      this.store!.release(segment);
    }
  }

  /** What a recovery would read. */
  segments(): RecoveredSegment[] {
    return [...this.#copies].map(([segment, copy]) => ({ segment, bytes: copy.finish(), durableBytes: copy.length }));
  }

  /** The owner died: what had not arrived is lost. */
  crash(): void {
    this.#waiting.length = 0;
    this.#retired.length = 0;
    this.store = null;
  }
}

/** A store that is spoken to in keys and records. */
export class Subject {
  readonly store: PartitionStore;
  readonly schemas: SchemaTable;
  readonly #out = new ByteWriter(2 * MIB, 64 * 1024);

  constructor(store: PartitionStore, schemas: SchemaTable = newSchemas()) {
    this.store = store;
    this.schemas = schemas;
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

  /** The record of an id, null where there is no cell. */
  byId(schema: CompiledSchema, id: number): CellRecord | null {
    const slot = this.store.slotOfId(id);
    return slot < 0 ? null : this.recordOf(schema, slot);
  }

  find(schema: CompiledSchema, key: string | number): number {
    const keyBytes = this.#write(schema, key, null);
    return this.store.find(schema.id, this.#out.buffer, 0, keyBytes);
  }

  get(schema: CompiledSchema, key: string | number): CellRecord | null {
    const keyBytes = this.#write(schema, key, null);
    const out = new ByteWriter(2 * MIB);
    if (!this.store.get(schema.id, this.#out.buffer, 0, keyBytes, out)) return null;
    return schema.decode(out.buffer, 0, out.length);
  }

  /** Runs `work` as one batch; rolls back and rethrows where it throws. */
  batch(work: () => void): { epoch: number; seq: number } {
    this.store.begin();
    try {
      work();
      return this.store.commit();
    } catch (error) {
      this.store.rollback();
      throw error;
    }
  }

  keyOf(schema: CompiledSchema, slot: number): string | number {
    return schema.decodeKey(this.store.bytes, this.store.keyStart(slot), this.store.keyBytes(slot));
  }

  recordOf(schema: CompiledSchema, slot: number): CellRecord {
    return schema.decode(this.store.bytes, this.store.bodyStart(slot), this.store.bodyBytes(slot));
  }

  /** All cells of a schema by key, or by id where they have none; throws where one comes twice. */
  all(schema: CompiledSchema): Map<string | number, CellRecord> {
    const cells = new Map<string | number, CellRecord>();
    for (let cursor = 0; cursor !== SCAN_END;) {
      cursor = this.store.scan(schema.id, null, cursor, 1000, 1000, (slot) => {
        const key = schema.isKeyed ? this.keyOf(schema, slot) : this.store.idOf(slot);
        if (cells.has(key)) throw new Error(`key ${key} was visited twice`);
        cells.set(key, this.recordOf(schema, slot));
      });
    }
    return cells;
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

export interface Rig {
  readonly clock: ManualClock;
  readonly arena: Arena;
  readonly backup: Backup;
  readonly subject: Subject;
}

/** A store of partition 3 on its own arena, with a backup. */
export function newRig(options: { arenaBytes?: number; partial?: Partial<PartitionStoreOptions> } = {}): Rig {
  const clock = new ManualClock();
  const arena = new Arena({ bytes: options.arenaBytes ?? 24 * MIB });
  const backup = new Backup();
  const storeOptions = { ...optionsOf(arena, clock, backup, 1), ...options.partial };
  const store = new PartitionStore(storeOptions);
  backup.store = store;
  return { clock, arena, backup, subject: new Subject(store, storeOptions.schemas) };
}

export function optionsOf(arena: Arena, clock: ManualClock, events: StoreEvents, epoch: number): PartitionStoreOptions {
  return { partition: 3, epoch, arena, schemas: newSchemas(), clock, firstSegment: 1, events };
}

/** Starts the partition again from what the backup has, on an arena of its own. */
export function recoverFrom(
  backup: Backup,
  clock: ManualClock,
  epoch: number,
  arena = new Arena({ bytes: 24 * MIB }),
): Rig {
  const segments = backup.segments();
  backup.crash();
  const store = PartitionStore.recover(optionsOf(arena, clock, backup, epoch), segments);
  backup.store = store;
  return { clock, arena, backup, subject: new Subject(store) };
}
