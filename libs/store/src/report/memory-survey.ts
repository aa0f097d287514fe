import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import type { Arena } from '../arena.ts';
import { SCAN_END } from '../cell-reader.ts';
import type { PartitionStore } from '../partition-store.ts';
import { LargestCells } from './largest-cells.ts';
import type { MemoryReport, SchemaMemory } from './memory-report.ts';
import { SchemaTally } from './schema-tally.ts';

/** Cells that are told one by one, at most. */
export const LARGEST_MAX = 1_000;

/** What a survey goes over. */
export interface MemorySurveyOptions {
  readonly arena: Arena;
  /** Asked at the start and at the end. */
  readonly stores: () => Iterable<PartitionStore>;
  readonly schemas: SchemaTable;
  readonly clock: Clock;
  /** How many of the largest cells are told; at most {@link LARGEST_MAX}. */
  readonly largest: number;
}

/**
 * Counts what cells take, in slices between other work.
 *
 * It scans one schema after another in one partition after another; cursors hold across writes and cleaning. So a cell that is there
 * throughout is counted once, with the size it then has; one that comes or goes meanwhile may be counted or not, and what is told of the
 * arena and of indexes is as of the end. Not for stores that are closed meanwhile.
 */
export class MemorySurvey {
  readonly #options: MemorySurveyOptions;
  readonly #places: { readonly store: PartitionStore; readonly schema: CompiledSchema }[] = [];
  readonly #tallies = new Map<number, SchemaTally>();
  readonly #largest: LargestCells;
  #cursor = 0;

  constructor(options: MemorySurveyOptions) {
    this.#options = options;
    this.#largest = new LargestCells(Math.min(LARGEST_MAX, options.largest));
    const schemas = options.schemas.list();
    for (const store of options.stores())
      for (const schema of schemas) if (store.cellsOf(schema.id) > 0) this.#places.push({ store, schema });
  }

  get isDone(): boolean {
    return this.#places.length === 0;
  }

  /** Works for about `budgetMs`; true if it is done. */
  slice(budgetMs: number): boolean {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + budgetMs;
    while (!this.isDone) {
      this.#advance(endMs - clock.monotonicMs());
      if (clock.monotonicMs() >= endMs) break;
    }
    return this.isDone;
  }

  #advance(budgetMs: number): void {
    const { store, schema } = this.#places.at(-1)!;
    const tally = this.#tallyOf(schema);
    this.#cursor = store.scan(schema.id, null, this.#cursor, Infinity, Math.max(0, budgetMs), (slot) => {
      const bytes = tally.add(store, slot);
      if (!this.#largest.isWanted(bytes)) return;
      this.#largest.add({ schema: schema.name, id: store.idOf(slot), partition: store.partition, bytes });
    });
    if (this.#cursor !== SCAN_END) return;
    this.#places.pop();
    this.#cursor = 0;
  }

  /** Revisions may be added while it runs; the newest knows the bodies of all. */
  #tallyOf({ id }: CompiledSchema): SchemaTally {
    const schema = this.#options.schemas.get(id)!;
    const tally = this.#tallies.get(id) ?? new SchemaTally(schema);
    this.#tallies.set(id, tally);
    tally.renew(schema);
    return tally;
  }

  /** What was found; to be asked once it is done. */
  report(): MemoryReport {
    const { arena } = this.#options;
    const stores = [...this.#options.stores()];
    const sum = (of: (store: PartitionStore) => number): number =>
      stores.reduce((total, store) => total + of(store), 0);
    const tallies = [...this.#tallies.values()];
    const cellBytes = tallies.reduce((total, { bytes }) => total + bytes, 0);
    const keyIndexBytes = sum((store) => store.counts.indexBytes);
    const ofArena = arena.report();
    const slots = sum((store) => store.counts.slots);
    return {
      arena: ofArena,
      partitions: stores.length,
      cells: tallies.reduce((total, { cells }) => total + cells, 0),
      cellBytes,
      otherLiveBytes: Math.max(0, ofArena.live - cellBytes),
      keyIndexBytes,
      slots,
      slotBytes: slots * SLOT_BYTES,
      secondaryIndexes: stores.flatMap((store) => store.indexes.report()),
      snapshots: this.#snapshots(),
      schemas: reportsOf(tallies, keyIndexBytes),
      largest: this.#largest.list(),
    };
  }

  #snapshots(): MemoryReport['snapshots'] {
    const { count, heldPages, heldBytes } = this.#options.arena.snapshots;
    return { open: count, slotPages: heldPages, segmentBytes: heldBytes };
  }
}

/** An address in the slot table. */
const SLOT_BYTES = 4;

function reportsOf(tallies: readonly SchemaTally[], keyIndexBytes: number): SchemaMemory[] {
  const keys = tallies.reduce((total, tally) => total + tally.keys, 0);
  return tallies
    .map((tally) => tally.report(keys === 0 ? 0 : Math.round((keyIndexBytes * tally.keys) / keys)))
    .sort((a, b) => b.bytes - a.bytes);
}
