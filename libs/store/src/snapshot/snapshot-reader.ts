import {
  cellIdOf,
  compileSchema,
  generationOfId,
  partitionOfId,
  SchemaTable,
  slotOfId,
  type Predicate,
  type Projection,
} from '@niobe/cells';
import { copyRange, NiobeError, type ByteWriter } from '@niobe/kernel';
import { BodyColumns, RUN_MASK } from '../body-columns.ts';
import { SCAN_END } from '../cell-reader.ts';
import {
  bodyBytesAt,
  bodyStartAt,
  epochAt,
  expiresAt,
  generationAt,
  keyBytesAt,
  keyStartAt,
  KIND,
  kindAt,
  seqAt,
  type EntryMemory,
} from '../entry.ts';
import { MatchingCells } from '../matching-cells.ts';
import { PAGE_BITS, PAGE_MASK, PAGE_SLOTS } from '../page-pool.ts';
import { directoryViews, STATE, type SharedSnapshot } from './shared-snapshot.ts';

/**
 * Reads a snapshot, in any thread.
 *
 * What is read is immutable, so nothing is locked. But a snapshot may be ended for its memory while another thread reads it. So what was
 * read counts only once it is known that the snapshot was open throughout: {@link SnapshotReader.read} asks after a batch of reads, once,
 * and throws `SNAPSHOT_EXPIRED` instead of returning. `get`, `scan` and `diffSnapshots` do that themselves; what a scan's `visit` has
 * gathered is to be thrown away with it.
 *
 * Slots are those of the partition; keys and bodies are ranges of {@link bytes}.
 */
export class SnapshotReader implements EntryMemory {
  readonly partition: number;
  readonly epoch: number;
  readonly seq: number;
  readonly timeMs: number;
  /** The schemas of its cells, each in a revision that reads them all. */
  readonly schemas: SchemaTable;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly bases: Uint32Array;
  /** Pages of slots. */
  readonly pages: number;
  readonly #slots: Uint32Array;
  readonly #pageBases: Uint32Array;
  readonly #pageSchemaIds: Uint16Array;
  readonly #state: Int32Array;

  private constructor(shared: SharedSnapshot, schemas: SchemaTable) {
    const { state, bases, schemaIds } = directoryViews(shared.directory, shared.pages);
    this.partition = shared.partition;
    this.epoch = shared.epoch;
    this.seq = shared.seq;
    this.timeMs = shared.timeMs;
    this.schemas = schemas;
    this.bytes = new Uint8Array(shared.memory);
    this.words = new Uint32Array(shared.memory);
    this.bases = new Uint32Array(shared.bases);
    this.pages = shared.pages;
    this.#slots = new Uint32Array(shared.slotPages);
    this.#pageBases = bases;
    this.#pageSchemaIds = schemaIds;
    this.#state = state;
  }

  /** @param schemas what this thread knows already; schemas of the snapshot are added. A thread that keeps it compiles each once. */
  static open(shared: SharedSnapshot, schemas: SchemaTable = new SchemaTable()): SnapshotReader {
    for (const { id, revision, declaration } of shared.schemas) {
      if ((schemas.get(id)?.revision ?? -1) < revision) schemas.add(compileSchema(id, revision, declaration));
    }
    return new SnapshotReader(shared, schemas);
  }

  /** Returns what `work` read, if the snapshot was open for all of it; else throws `SNAPSHOT_EXPIRED`. */
  read<T>(work: () => T): T {
    this.#requireOpen();
    let result: T;
    try {
      result = work();
    } catch (error) {
      // Memory that holds something else by now may read as anything.
      this.#requireOpen();
      throw error;
    }
    this.#requireOpen();
    return result;
  }

  #requireOpen(): void {
    // Not a load: what was read before must not be read after it, on any machine.
    if (Atomics.or(this.#state, 0, 0) === STATE.open) return;
    throw new NiobeError('SNAPSHOT_EXPIRED', `a snapshot of partition ${this.partition} has ended; take another`);
  }

  /** Every slot is below this. */
  get limit(): number {
    return this.pages * PAGE_SLOTS;
  }

  /** Where the slots of a page lie: the same in two snapshots only if nothing on it was written between them. */
  pageBase(page: number): number {
    return page < this.pages ? this.#pageBases[page]! : 0;
  }

  /** Address of the latest entry of a slot, 0 for none. */
  address(slot: number): number {
    return slot < this.limit ? this.#slots[this.#pageBases[slot >>> PAGE_BITS]! | (slot & PAGE_MASK)]! : 0;
  }

  /** True if the slot has a cell that had not expired. */
  hasCell(slot: number): boolean {
    return this.#isCell(this.address(slot));
  }

  #isCell(address: number): boolean {
    if (kindAt(this.words, address) !== KIND.cell) return false;
    const expiresS = expiresAt(this.words, address);
    return expiresS === 0 || expiresS * 1000 > this.timeMs;
  }

  /** Slot of the cell with this id, -1 where there is none. */
  slotOfId(id: number): number {
    const slot = slotOfId(id);
    if (partitionOfId(id) !== this.partition) return -1;
    const address = this.address(slot);
    return generationAt(this.words, address) === generationOfId(id) && this.#isCell(address) ? slot : -1;
  }

  idOf(slot: number): number {
    return cellIdOf(this.partition, generationAt(this.words, this.address(slot)), slot);
  }

  schemaId(slot: number): number {
    return this.hasCell(slot) ? this.#pageSchemaIds[slot >>> PAGE_BITS]! : 0;
  }

  versionEpoch(slot: number): number {
    return epochAt(this, this.address(slot));
  }

  versionSeq(slot: number): number {
    return seqAt(this, this.address(slot));
  }

  keyStart(slot: number): number {
    return keyStartAt(this.words, this.address(slot));
  }

  keyBytes(slot: number): number {
    return keyBytesAt(this.words, this.address(slot));
  }

  bodyStart(slot: number): number {
    return bodyStartAt(this.words, this.address(slot));
  }

  bodyBytes(slot: number): number {
    return bodyBytesAt(this.words, this.address(slot));
  }

  /** Appends the body of the cell with this id to `out`; false where there is none. Where it throws, what `out` holds does not count. */
  get(id: number, out: ByteWriter): boolean {
    return this.read(() => this.#append(this.slotOfId(id), out));
  }

  #append(slot: number, out: ByteWriter): boolean {
    if (slot < 0) return false;
    const start = this.bodyStart(slot);
    const length = this.bodyBytes(slot);
    const at = out.reserve(length);
    copyRange(this.bytes, start, start + length, out.buffer, at);
    return true;
  }

  /**
   * Visits the cells of a schema for which `predicate` holds, from `cursor` (0 at first) on, until `limitBytes` of keys and bodies were
   * visited. Returns the next cursor, `SCAN_END` at the end. Where it throws `SNAPSHOT_EXPIRED`, nothing that was visited counts.
   */
  scan(
    schemaId: number,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    visit: (slot: number) => void,
  ): number {
    requireCursor(cursor);
    return this.read(() => {
      const matching = this.#matching(predicate);
      let seenBytes = 0;
      for (
        let slot = this.#runFrom(cursor, schemaId);
        slot < this.limit;
        slot = this.#runFrom(endOfRun(slot), schemaId)
      ) {
        const count = this.#match(matching, slot);
        for (let i = 0; i < count; i++) {
          const found = matching.slots[i]!;
          visit(found);
          seenBytes += this.keyBytes(found) + this.bodyBytes(found);
          if (seenBytes >= limitBytes) return found + 1;
        }
      }
      return SCAN_END;
    });
  }

  #matching(predicate: Predicate | null): MatchingCells {
    const memory = { bytes: this.bytes, words: this.words, addresses: this.#slots };
    return new MatchingCells(memory, predicate, (address) => this.#isCell(address));
  }

  /** The first slot from `slot` on that lies on a page of a schema, at least {@link limit} where there is none. */
  #runFrom(slot: number, schemaId: number): number {
    let at = slot;
    while (at < this.limit && this.#pageSchemaIds[at >>> PAGE_BITS] !== schemaId) at = (at | PAGE_MASK) + 1;
    return at;
  }

  /** Finds the matching cells from a slot to the end of its run; how many. */
  #match(matching: MatchingCells, slot: number): number {
    this.#requireOpen();
    return matching.find(this.#pageBases[slot >>> PAGE_BITS]! | (slot & PAGE_MASK), slot, endOfRun(slot));
  }

  /**
   * Appends cells of a schema for which `predicate` holds to a projection of it, from `cursor` (0 at first) on, until it is full. Returns
   * the next cursor, `SCAN_END` at the end. Where it throws `SNAPSHOT_EXPIRED`, neither rows nor ids count.
   *
   * @param ids gets the id of each row; as long as the projection may have rows
   */
  project(
    schemaId: number,
    predicate: Predicate | null,
    cursor: number,
    projection: Projection,
    ids: Float64Array,
  ): number {
    requireCursor(cursor);
    return this.read(() => {
      const matching = this.#matching(predicate);
      const bodies = new BodyColumns();
      for (
        let slot = this.#runFrom(cursor, schemaId);
        slot < this.limit;
        slot = this.#runFrom(endOfRun(slot), schemaId)
      ) {
        this.#gather(matching, this.#match(matching, slot), bodies);
        const row = projection.rows;
        const count = projection.add(this.bytes, bodies.starts, bodies.lengths, 0, bodies.count);
        for (let i = 0; i < count; i++) ids[row + i] = this.idOf(bodies.slots[i]!);
        if (count < bodies.count) return bodies.slots[count]!;
      }
      return SCAN_END;
    });
  }

  /** Lists the bodies of the cells that were found. */
  #gather(matching: MatchingCells, count: number, bodies: BodyColumns): void {
    bodies.clear();
    for (let i = 0; i < count; i++) {
      const slot = matching.slots[i]!;
      bodies.add(slot, this.bodyStart(slot), this.bodyBytes(slot));
    }
  }
}

/** The slot behind the run that a slot is in; runs do not go over the end of a page. */
function endOfRun(slot: number): number {
  return (slot | RUN_MASK) + 1;
}

function requireCursor(cursor: number): void {
  if (!Number.isInteger(cursor) || cursor < 0) throw new NiobeError('BAD_REQUEST', 'a cursor that no scan gave');
}
