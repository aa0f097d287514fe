import type { Clause, IndexDeclaration, Predicate } from '@niobe/cells';
import { assert, NiobeError } from '@niobe/kernel';
import { BodyColumns, RUN_CELLS } from '../body-columns.ts';
import { SCAN_END, type CellReader } from '../cell-reader.ts';
import type { Parts } from '../parts.ts';
import { lowestSlots, PAGE_SLOTS_MAX } from './lowest-slots.ts';
import { walkInOrder, type OrderedRange } from './ordered-walk.ts';
import { planScan, type IndexAccess, type ScanPlan } from './scan-plan.ts';
import type { SecondaryIndex } from './secondary-index.ts';

/**
 * Reads cells by secondary indexes.
 *
 * A scan by plan visits cells in the order of slots and its cursors are slots, with an index or without: so a scan may go on with another
 * plan, and keeps its promise across writes and cleaning. Whoever wants cells in the order of values walks a range.
 */
export class IndexedReader {
  readonly #parts: Parts;
  readonly #reader: CellReader;

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  /**
   * How to find the cells that meet all clauses; the clauses must fit the schema, as those of a compiled predicate do. A plan holds as
   * long as the store, but is best made anew for each scan. O(clauses indexes log entries).
   */
  plan(schemaId: number, clauses: readonly Clause[]): ScanPlan {
    const { declaration } = this.#reader.schema(schemaId);
    const { indexes, slots } = this.#parts;
    return planScan(schemaId, declaration, indexes.of(schemaId), clauses, slots.cellsOf(schemaId));
  }

  /** Visits cells as `PartitionStore.scan` does, with its promise, by a plan that was made for the clauses of `predicate`. */
  scan(
    plan: ScanPlan,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    budgetMs: number,
    visit: (slot: number) => void,
  ): number {
    // An index that was dropped or is built anew since the plan was made says nothing.
    if (plan.access === null || !plan.access.index.isComplete) {
      return this.#reader.scan(plan.schemaId, predicate, cursor, limitBytes, budgetMs, visit);
    }
    if (!Number.isInteger(cursor) || cursor < 0) throw new NiobeError('BAD_REQUEST', 'a cursor that no scan gave');
    return this.#scanIndex(plan.access, predicate, cursor, limitBytes, budgetMs, visit);
  }

  #scanIndex(
    access: IndexAccess,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    budgetMs: number,
    visit: (slot: number) => void,
  ): number {
    const { arena, clock } = this.#parts;
    const endMs = clock.monotonicMs() + budgetMs;
    const run = new BodyColumns();
    let seenBytes = 0;
    for (let from = cursor; ;) {
      const slots = lowestSlots(access, from);
      for (let first = 0; first < slots.length; first += RUN_CELLS) {
        const wanted = slots.subarray(first, first + RUN_CELLS);
        this.#reader.gatherSlots(wanted, wanted.length, run);
        const hits = run.select(predicate, arena.bytes);
        for (let i = 0; i < hits; i++) {
          const hit = run.slots[run.hits[i]!]!;
          visit(hit);
          seenBytes += this.#reader.cellBytes(hit);
          if (seenBytes >= limitBytes) return hit + 1;
        }
        if (clock.monotonicMs() >= endMs) return wanted.at(-1)! + 1;
      }
      if (slots.length < PAGE_SLOTS_MAX) return SCAN_END;
      from = slots.at(-1)! + 1;
    }
  }

  /**
   * Visits the cells of a range of a sorted index in the order of their values, equal ones by slot, and returns how many. A cell with many
   * values in the range comes once, where the walk first meets it. `visit` must not write. Throws `BAD_REQUEST` where the schema has no
   * such index or it is no sorted one, `NOT_READY` while it is being built, `SCHEMA_VIOLATION` for a bound that is no value.
   * O(log entries + visited), and the length of the array at each cell with many values.
   */
  range(schemaId: number, index: string, range: OrderedRange, visit: (slot: number) => void): number {
    return walkInOrder(this.#sorted(schemaId, index), range, this.#reader, visit);
  }

  #sorted(schemaId: number, name: string): SecondaryIndex {
    const schema = this.#reader.schema(schemaId);
    const index = this.#parts.indexes.of(schemaId).find((known) => known.name === name);
    if (index?.kind !== 'sorted')
      throw new NiobeError('BAD_REQUEST', `${schema.name} has no sorted index of this name`);
    if (!index.isComplete) throw new NiobeError('NOT_READY', `index ${name} of ${schema.name} is being built`);
    return index;
  }

  /**
   * Goes on building the indexes that newer revisions added, for about `budgetMs`; true while there is more to do. Not while a batch is
   * open. Until an index is complete, writes keep it up and scans go without it.
   */
  build(budgetMs: number): boolean {
    assert(!this.#parts.batch.isOpen, 'indexes are built between batches');
    return this.#parts.indexes.build(this.#parts.clock, budgetMs);
  }

  /** Every index of the partition. O(indexes). */
  report(): IndexReport[] {
    return this.#parts.indexes.all().map(({ schema, index }) => ({
      schema: schema.name,
      name: index.name,
      on: index.on,
      kind: index.kind,
      entries: index.entries,
      bytes: index.memoryBytes,
      isComplete: index.isComplete,
    }));
  }
}

/** What an index holds, and what that takes outside the arena. */
export interface IndexReport {
  readonly schema: string;
  readonly name: string;
  readonly on: string;
  readonly kind: IndexDeclaration['kind'];
  readonly entries: number;
  readonly bytes: number;
  /** False while it is being built. */
  readonly isComplete: boolean;
}
