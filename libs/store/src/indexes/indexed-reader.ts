import type { Clause, IndexDeclaration, Predicate } from '@niobe/cells';
import { assert, NiobeError } from '@niobe/kernel';
import { SCAN_END, type CellReader } from '../cell-reader.ts';
import { isCellAt } from '../entry.ts';
import { MatchingCells } from '../matching-cells.ts';
import type { Parts } from '../parts.ts';
import { CellGroup, GROUP_CELLS } from './cell-group.ts';
import { lowestSlots, PAGE_SLOTS_MAX } from './lowest-slots.ts';
import { OrderedWalk, type OrderedRange } from './ordered-walk.ts';
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
  readonly #isLive: (address: number) => boolean;
  /** Groups that nobody is working with: as many as calls were ever one within the other. */
  readonly #groups: CellGroup[] = [];

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
    this.#isLive = (address) => isCellAt(parts.arena.words, address) && !reader.isExpired(address);
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
    const { access } = plan;
    return this.#withGroup((group) => this.#scanIndex(access, group, predicate, cursor, limitBytes, budgetMs, visit));
  }

  #scanIndex(
    access: IndexAccess,
    group: CellGroup,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    budgetMs: number,
    visit: (slot: number) => void,
  ): number {
    const endMs = this.#parts.clock.monotonicMs() + budgetMs;
    const matching = predicate === null || access.isPrecise ? null : this.#matching(group, predicate);
    let seenBytes = 0;
    for (let from = cursor; ;) {
      const slots = lowestSlots(access, from);
      for (let first = 0; first < slots.length; first += GROUP_CELLS) {
        const count = Math.min(GROUP_CELLS, slots.length - first);
        group.take(slots, first, count);
        group.locate(count);
        const hits = matching === null ? group.keepLive(count, this.#isLive) : group.keepMatching(count, matching);
        group.measure(hits);
        for (let i = 0; i < hits; i++) {
          visit(group.slots[i]!);
          seenBytes += group.cellBytes(i);
          if (seenBytes >= limitBytes) return group.slots[i]! + 1;
        }
        if (this.#parts.clock.monotonicMs() >= endMs) return slots[first + count - 1]! + 1;
      }
      if (slots.length < PAGE_SLOTS_MAX) return SCAN_END;
      from = slots.at(-1)! + 1;
    }
  }

  #matching(group: CellGroup, predicate: Predicate): MatchingCells {
    const { bytes, words } = this.#parts.arena;
    return new MatchingCells({ bytes, words, addresses: group.addresses }, predicate, this.#isLive);
  }

  /**
   * Visits the cells of a range of a sorted index in the order of their values, equal ones by slot, and returns how many. A cell with many
   * values in the range comes once, where the walk first meets it. `visit` must not write. Throws `BAD_REQUEST` where the schema has no
   * such index or it is no sorted one, `NOT_READY` while it is being built, `SCHEMA_VIOLATION` for a bound that is no value.
   * O(log entries + visited), and the length of the array at each cell with many values.
   */
  range(schemaId: number, index: string, range: OrderedRange, visit: (slot: number) => void): number {
    const walk = new OrderedWalk(this.#sorted(schemaId, index), range);
    return this.#withGroup((group) => this.#visitInOrder(walk, group, range.limit, visit));
  }

  #visitInOrder(walk: OrderedWalk, group: CellGroup, limit: number, visit: (slot: number) => void): number {
    let visited = 0;
    while (visited < limit) {
      const count = walk.next(group.slots, Math.min(GROUP_CELLS, limit - visited));
      if (count === 0) break;
      group.locate(count);
      const live = group.keepLive(count, this.#isLive);
      for (let i = 0; i < live; i++) visit(group.slots[i]!);
      visited += live;
    }
    return visited;
  }

  /** Works with a group that no other call is working with: `visit` may ask again. */
  #withGroup<T>(work: (group: CellGroup) => T): T {
    const group = this.#groups.pop() ?? new CellGroup(this.#parts.arena.words, this.#parts.slots);
    try {
      return work(group);
    } finally {
      this.#groups.push(group);
    }
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
