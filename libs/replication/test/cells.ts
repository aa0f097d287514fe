import { compileSchema, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, type Clock } from '@niobe/kernel';
import { Arena, PartitionStore, SCAN_END, type RecoveredSegment, type StoreEvents } from '@niobe/store';

/** A real partition that is spoken to in keys and numbers. */

export const MIB: number = 1024 * 1024;

const BALLAST_SEGMENT = 99_999;

const CELLS: CompiledSchema = compileSchema(16, 1, {
  name: 'cells',
  key: 'text',
  fields: { value: { type: 'u32' }, blob: { type: 'bytes', maxBytes: MIB } },
});

function schemas(): SchemaTable {
  const table = new SchemaTable();
  table.add(CELLS);
  return table;
}

export interface CellsOptions {
  readonly partition: number;
  readonly epoch: number;
  readonly firstSegment: number;
  readonly clock: Clock;
  readonly events: StoreEvents;
  readonly arenaBytes?: number;
  /** Memory that something else has taken: the less is left, the more is cleaned. */
  readonly ballast?: readonly number[];
}

export class Cells {
  readonly store: PartitionStore;
  readonly #out = new ByteWriter(2 * MIB, 64 * 1024);

  constructor(options: CellsOptions, segments: Iterable<RecoveredSegment> = []) {
    const arena = new Arena({ bytes: options.arenaBytes ?? 16 * MIB });
    for (const bytes of options.ballast ?? []) arena.open(BALLAST_SEGMENT, bytes, 'write', 0);
    this.store = PartitionStore.recover({ ...options, arena, schemas: schemas() }, segments);
  }

  /** One batch: null deletes. Gives the seq of its commit. */
  write(changes: ReadonlyMap<string, number | null>, blobBytes: number): number {
    this.store.begin();
    try {
      for (const [key, value] of changes) this.#change(key, value, blobBytes);
      return this.store.commit().seq;
    } catch (error) {
      this.store.rollback();
      throw error;
    }
  }

  #change(key: string, value: number | null, blobBytes: number): void {
    const out = this.#out;
    out.reset();
    CELLS.encodeKey(key, out);
    const keyBytes = out.length;
    if (value === null) {
      this.store.delete(CELLS.id, out.buffer, 0, keyBytes, 0, 0);
      return;
    }
    CELLS.encode({ value, blob: new Uint8Array(blobBytes).fill(value & 255) }, out);
    this.store.put(CELLS.id, out.buffer, 0, keyBytes, keyBytes, out.length - keyBytes, 0);
  }

  /** All cells, by key in order. */
  all(): [string, number][] {
    const cells: [string, number][] = [];
    for (let cursor = 0; cursor !== SCAN_END;)
      cursor = this.store.scan(CELLS.id, null, cursor, MIB, 1000, (slot) => cells.push(this.#cell(slot)));
    return cells.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #cell(slot: number): [string, number] {
    const { store } = this;
    const record = CELLS.decode(store.bytes, store.bodyStart(slot), store.bodyBytes(slot));
    return [String(CELLS.decodeKey(store.bytes, store.keyStart(slot), store.keyBytes(slot))), Number(record['value'])];
  }
}
