import { cellIdOf, type CompiledSchema, type SchemaTable } from '@niobe/cells';
import { NiobeError, type Clock } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import type { RowOnWire } from '../frames/collect.ts';
import { FirstRows } from '../rows/first-rows.ts';
import { Row, rowOrder } from '../rows/row.ts';
import type { SearchOrder } from '../search.ts';
import type { ReachedVertices } from './reached.ts';

/** What a {@link Selection} works on. */
export interface SelectionOptions {
  readonly reached: ReachedVertices;
  /** Index of the first vertex that the last hop reached. */
  readonly from: number;
  readonly isCounting: boolean;
  readonly orderBy: SearchOrder;
  readonly limit: number;
  readonly schemas: SchemaTable;
  readonly clock: Clock;
}

/** Finds the first rows of the answer among the vertices that the last hop reached, in slices. Here, and only here, keys are read. */
export class Selection {
  readonly #options: SelectionOptions;
  readonly #first: FirstRows;
  readonly #probe = new Row();
  #index: number;
  #level: number;
  #rows: RowOnWire[] | null = null;
  #unsorted = 0;

  constructor(options: SelectionOptions) {
    this.#options = options;
    this.#first = new FirstRows(options.limit, rowOrder(options.orderBy));
    this.#index = options.from;
    this.#level = 0;
  }

  /** In order; once {@link run} said that it is through. */
  get rows(): readonly RowOnWire[] {
    return this.#rows ?? [];
  }

  /** Goes on until it is through (true) or the time is up. `stores` has this shard's partitions by number. */
  run(stores: readonly (PartitionStore | null)[], endMs: number): boolean {
    const { reached, clock } = this.#options;
    while (this.#index < reached.length) {
      if (clock.monotonicMs() >= endMs) return false;
      const end = Math.min(reached.length, this.#index + ROWS_PER_LOOK);
      for (; this.#index < end; this.#index++) this.#offer(stores);
    }
    return this.#sort(endMs);
  }

  #offer(stores: readonly (PartitionStore | null)[]): void {
    const { reached, isCounting, orderBy } = this.#options;
    const index = this.#index;
    const probe = this.#probe;
    while (index >= reached.startOf(this.#level + 1)) this.#level += 1;
    probe.level = this.#level;
    probe.count = isCounting ? reached.counts.at(index - reached.countsFrom) : 0;
    if (orderBy === 'count' && probe.count < this.#first.leastCount) return;
    const high = reached.highs.at(index);
    const store = stores[high >>> 8]!;
    const slot = store.slotOfId(cellIdOf(high >>> 8, high & 0xff, reached.slots.at(index)));
    // Deleted since it was reached.
    if (slot < 0) return;
    const schema = this.#schema(store.schemaId(slot));
    if (schema.keyType !== 'text' && schema.keyType !== 'integer') return;
    const keyAt = store.keyStart(slot);
    probe.setKey(schema.id, schema.keyType, store.bytes, keyAt, keyAt + store.keyBytes(slot));
    this.#first.offer(probe);
  }

  #schema(id: number): CompiledSchema {
    const schema = this.#options.schemas.get(id);
    if (schema === undefined) throw new NiobeError('NOT_READY', `schema ${id} is not known to this shard yet`);
    return schema;
  }

  /** Takes the rows out of the heap, last first. */
  #sort(endMs: number): boolean {
    if (this.#rows === null) {
      this.#unsorted = this.#first.length;
      this.#rows = Array.from({ length: this.#unsorted });
    }
    while (this.#unsorted > 0) {
      const { schemaId, level, count, bytes } = this.#first.takeLast();
      this.#unsorted -= 1;
      this.#rows[this.#unsorted] = { schemaId, level, count, key: bytes };
      if (this.#unsorted % ROWS_PER_LOOK === 0 && this.#options.clock.monotonicMs() >= endMs)
        return this.#unsorted === 0;
    }
    return true;
  }
}

/** About 100 microseconds. */
const ROWS_PER_LOOK = 256;
