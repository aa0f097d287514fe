import { cellIdOf, type Predicate, type Projection } from '@niobe/cells';
import { assert, NiobeError, type ByteWriter } from '@niobe/kernel';
import { auditPartition } from './audit.ts';
import { CellReader } from './cell-reader.ts';
import { CellWriter, type WriteStatus } from './cell-writer.ts';
import { Cleaner } from './cleaner.ts';
import {
  bodyBytesAt,
  bodyStartAt,
  entryBytesAt,
  epochAt,
  expiresAt,
  generationAt,
  keyBytesAt,
  keyStartAt,
  KIND,
  kindAt,
  seqAt,
} from './entry.ts';
import { IndexedReader } from './indexes/indexed-reader.ts';
import { EPOCH_LIMIT, PARTITION_LIMIT } from './limits.ts';
import { ManyReader } from './many-reader.ts';
import type { CommitVersion, PartitionStoreOptions } from './partition-options.ts';
import { closeParts, emptyParts, type Parts } from './parts.ts';
import type { RecoveredSegment } from './recovered-copies.ts';
import { recoverSegments, type RecoveryReport } from './recovery.ts';
import { segmentInfo, type SegmentInfo } from './segment.ts';
import { takeSnapshot, type Snapshot } from './snapshot/snapshot.ts';
import { StoreCounts } from './store-counts.ts';

/**
 * The cells of one partition: a log in the arena, a slot table and a key index over it. Used by one thread.
 *
 * Cells with a key are written and found by it; cells without one are written by {@link PartitionStore.create} and found by id. Writes
 * come in atomic batches: `begin`, operations, then `commit` or `rollback`. Keys and bodies are ranges of any `Uint8Array`; they may come
 * from outside and are checked. Reads by slot take a slot that `find` or `scan` gave and hold until the next write or cleaning; keys and
 * bodies are then ranges of {@link bytes}.
 */
export class PartitionStore {
  readonly partition: number;
  readonly epoch: number;
  /** The arena's memory, in which keys and bodies lie. */
  readonly bytes: Uint8Array;
  /** Scans and ranges by the secondary indexes that schemas declare. */
  readonly indexes: IndexedReader;
  /** What the partition takes, and what was written and cleaned in it. */
  readonly counts: StoreCounts;
  readonly #words: Uint32Array;
  readonly #parts: Parts;
  readonly #reader: CellReader;
  readonly #many: ManyReader;
  readonly #writer: CellWriter;
  readonly #cleaner: Cleaner;
  #recovery: RecoveryReport | null = null;

  constructor(options: PartitionStoreOptions) {
    assert(options.partition >= 0 && options.partition < PARTITION_LIMIT, 'partitions are 12 bits');
    assert(options.epoch >= 0 && options.epoch < EPOCH_LIMIT, 'epochs are 20 bits');
    this.partition = options.partition;
    this.epoch = options.epoch;
    this.bytes = options.arena.bytes;
    this.#words = options.arena.words;
    this.#parts = emptyParts(options);
    this.#reader = new CellReader(this.#parts);
    this.#many = new ManyReader(this.#parts, this.#reader);
    this.#writer = new CellWriter(this.#parts, this.#reader);
    this.#cleaner = new Cleaner(this.#parts, this.#reader);
    this.indexes = new IndexedReader(this.#parts, this.#reader);
    this.counts = new StoreCounts(this.#parts, this.#cleaner);
  }

  /**
   * A partition from the segments of its log, which come in any order and are read one by one; of a segment that comes more than once the
   * longest valid beginning counts. {@link recovery} tells what was found. Throws `DAMAGED` with partition, segment and offset where bytes
   * below `durableBytes` check in no copy, `INCOMPATIBLE` for segments of another format, `STORE_FULL` where the arena is too small,
   * `FENCED` where the log is of a higher epoch; the arena is then as before.
   */
  static recover(options: PartitionStoreOptions, segments: Iterable<RecoveredSegment>): PartitionStore {
    const store = new PartitionStore(options);
    store.#recovery = recoverSegments(store.#parts, segments);
    return store;
  }

  /** What the recovery found that this partition began with; null where it began empty. */
  get recovery(): RecoveryReport | null {
    return this.#recovery;
  }

  /** Opens a batch. One batch is open at a time in an arena. */
  begin(): void {
    this.#parts.batch.begin();
  }

  /**
   * Writes a cell whether or not the key has one. `SCHEMA_VIOLATION`, `MALFORMED` or `TOO_LARGE` where key or body are not allowed,
   * `NOT_READY` where the schema is not known here.
   *
   * @param expiresS Unix seconds from which the cell is gone, 0 = never
   */
  put(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    return this.#writer.put(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
  }

  /** As {@link put}; `EXISTS` where the key has a cell. */
  putIfAbsent(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    return this.#writer.putIfAbsent(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
  }

  /** Overwrites a cell of this version (seq 0: of any); `VERSION_MISMATCH` or `NOT_FOUND`. Else as {@link put}. */
  replace(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
    epoch: number,
    seq: number,
  ): WriteStatus {
    return this.#writer.replace(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS, epoch, seq);
  }

  /** Deletes a cell of this version: `VERSION_MISMATCH` or `NOT_FOUND`. With seq 0 of any, and `absent` where there is none. */
  delete(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    epoch: number,
    seq: number,
  ): WriteStatus {
    return this.#writer.delete(schemaId, bytes, keyAt, keyBytes, epoch, seq);
  }

  /** Merges a delta into the key's cell by the schema's operators, or puts it where there is none. `OVERFLOW`, else as {@link put}. */
  merge(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    return this.#writer.merge(schemaId, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
  }

  /**
   * Writes a cell of a schema without keys and returns its slot; {@link idOf} then gives its id, by which alone it is found. Costs no
   * index. Errors as {@link put}.
   */
  create(schemaId: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number, expiresS = 0): number {
    return this.#writer.create(schemaId, bytes, bodyAt, bodyBytes, expiresS);
  }

  /** Overwrites the cell in a slot that {@link find}, {@link slotOfId} or {@link create} gave, whether or not it has a key. */
  overwrite(slot: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number, expiresS = 0): WriteStatus {
    return this.#writer.overwrite(slot, bytes, bodyAt, bodyBytes, expiresS);
  }

  /** Deletes the cell in a slot, as {@link overwrite} takes it. */
  remove(slot: number): void {
    this.#writer.remove(slot);
  }

  /** Slot of the cell that the last operation wrote or found equal, -1 where it left none. */
  get lastSlot(): number {
    return this.#writer.lastSlot;
  }

  /**
   * Makes the batch visible as a whole and returns the version of its commit; a batch that changed nothing writes nothing and returns
   * that of the commit before. `STORE_FULL` leaves the batch open, to be rolled back.
   */
  commit(): CommitVersion {
    const { batch } = this.#parts;
    batch.commit('head', batch.onlyFrees ? 'delete' : 'write');
    return this.lastCommit();
  }

  /** Leaves everything as it was before {@link begin}. */
  rollback(): void {
    this.#parts.batch.rollback();
  }

  /** The last commit, also one of the cleaner. */
  lastCommit(): CommitVersion {
    const { log } = this.#parts;
    return { epoch: log.lastCommitEpoch, seq: log.lastCommitSeq };
  }

  /** Slot of the key's cell, -1 where there is none or it has expired. O(1), allocates nothing. */
  find(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    return this.#reader.find(schemaId, bytes, keyAt, keyBytes);
  }

  /** Appends the body of the key's cell to `out`; false where there is none. */
  get(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number, out: ByteWriter): boolean {
    return this.#reader.get(schemaId, bytes, keyAt, keyBytes, out);
  }

  /** True if the key has a cell. */
  exists(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): boolean {
    return this.#reader.find(schemaId, bytes, keyAt, keyBytes) >= 0;
  }

  /**
   * Appends the bodies of the cells with `count` ids to `out` and returns how many there are. `TOO_LARGE` leaves `out` as it was.
   *
   * The result begins at the next multiple of four bytes of `out`. First comes for each id where its body begins, counted from the
   * beginning of the result, and the body's bytes, as u32; both are 0 where there is no such cell. Then come the bodies, in the order of the
   * ids, with up to three zeros before and behind each.
   */
  getMany(ids: Float64Array, count: number, out: ByteWriter): number {
    return this.#many.getMany(ids, count, out);
  }

  /**
   * As {@link getMany}, for `count` keys of a schema that lie one behind the other in `keys`.
   *
   * @param starts where each key begins; one item more says where the last ends
   */
  getManyByKey(schemaId: number, keys: Uint8Array, starts: Uint32Array, count: number, out: ByteWriter): number {
    return this.#many.getManyByKey(schemaId, keys, starts, count, out);
  }

  /**
   * Appends the cells with `count` ids to the columns of a projection of their schema. Writes to `rows` the row of each, -1 where there
   * is no such cell, and returns for how many ids it did so: for less than all where the projection has no more room.
   */
  project(schemaId: number, ids: Float64Array, count: number, projection: Projection, rows: Int32Array): number {
    return this.#many.project(schemaId, ids, count, projection, rows);
  }

  /**
   * Visits the cells of a schema for which `predicate` holds, from `cursor` (0 at first) on, until `limitBytes` of keys and bodies were
   * visited or `budgetMs` passed. Returns the next cursor, {@link SCAN_END} at the end.
   *
   * Cursors hold across writes, cleaning and batches: a cell that exists from the first to the last call is visited exactly once, in the
   * state it then has. `visit` must not write.
   */
  scan(
    schemaId: number,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    budgetMs: number,
    visit: (slot: number) => void,
  ): number {
    return this.#reader.scan(schemaId, predicate, cursor, limitBytes, budgetMs, visit);
  }

  /**
   * The cells as they are now, to be read by this thread or others while writes go on. O(slots / 1024), some 50 us for 10^7 cells; pages
   * of slots are copied as they are written. Not while a batch is open. `TOO_MANY_SNAPSHOTS` where the arena's policy says so.
   */
  snapshot(): Snapshot {
    return takeSnapshot(this.#parts);
  }

  versionEpoch(slot: number): number {
    return epochAt(this.#parts.arena, this.#parts.slots.address(slot));
  }

  versionSeq(slot: number): number {
    return seqAt(this.#parts.arena, this.#parts.slots.address(slot));
  }

  /** Unix seconds from which the cell is gone, 0 = never. */
  expiresS(slot: number): number {
    return expiresAt(this.#words, this.#parts.slots.address(slot));
  }

  /** Schema of the slot's cell, 0 where it has none. */
  schemaId(slot: number): number {
    const { slots } = this.#parts;
    return kindAt(this.#words, slots.address(slot)) === KIND.cell ? slots.schemaId(slot) : 0;
  }

  /** Where the key begins in {@link bytes}. */
  keyStart(slot: number): number {
    return keyStartAt(this.#words, this.#parts.slots.address(slot));
  }

  keyBytes(slot: number): number {
    return keyBytesAt(this.#words, this.#parts.slots.address(slot));
  }

  /** Where the body begins in {@link bytes}. */
  bodyStart(slot: number): number {
    return bodyStartAt(this.#words, this.#parts.slots.address(slot));
  }

  bodyBytes(slot: number): number {
    return bodyBytesAt(this.#words, this.#parts.slots.address(slot));
  }

  /** Bytes of the cell's entry in the log: header, key, body and padding. */
  entryBytes(slot: number): number {
    return entryBytesAt(this.#words, this.#parts.slots.address(slot));
  }

  /** The cell's id: partition, generation and slot as one safe integer below 2^52. */
  idOf(slot: number): number {
    return cellIdOf(this.partition, generationAt(this.#words, this.#parts.slots.address(slot)), slot);
  }

  /** Slot of the cell with this id, -1 where it was deleted, has expired or is of another partition. O(1). */
  slotOfId(id: number): number {
    return this.#reader.slotOfId(id);
  }

  /**
   * Where the entry of the cell with this id is, 0 where there is none, as {@link slotOfId}: for a reader of the body alone, who saves a
   * second look at the slot. Holds, as slots do, until the next write or cleaning. O(1).
   */
  addressOfId(id: number): number {
    return this.#reader.addressOfId(id);
  }

  /** As {@link addressOfId}, by key; else as {@link find}. */
  addressOfKey(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    return this.#reader.addressOfKey(schemaId, bytes, keyAt, keyBytes);
  }

  /** Where the body of the cell at an address begins in {@link bytes}. */
  bodyStartAt(address: number): number {
    return bodyStartAt(this.#words, address);
  }

  bodyBytesAt(address: number): number {
    return bodyBytesAt(this.#words, address);
  }

  /**
   * One slice of cleaning, of about `budgetMs`; not while a batch is open. True if something was done. Where several partitions share an
   * arena, `ArenaCleaner` chooses among them.
   */
  clean(budgetMs: number): boolean {
    const { arena, clock } = this.#parts;
    arena.snapshots.expire(clock.monotonicMs());
    return this.#cleaner.clean(budgetMs);
  }

  /** What cleaning would gain now, to be compared with others of the arena: 0 nothing, Infinity work that is under way or due. O(segments). */
  cleaningGain(): number {
    return this.#cleaner.gain();
  }

  /** True while segments are on their way through the cleaner. */
  get isCleaning(): boolean {
    return this.#cleaner.isBusy;
  }

  /**
   * Frees the memory of a retired segment, once no snapshot sees it any more: see `StoreEvents.retired`. A segment that is not there is
   * none of our business.
   */
  release(segment: number): void {
    const found = this.#parts.log.segment(segment);
    if (found?.state === 'retired') this.#parts.log.release(found);
  }

  /** Committed bytes of a segment, shared with the arena: valid until it is released. `NOT_FOUND` where there is none. */
  segmentBytes(segment: number): Uint8Array {
    const found = this.#parts.log.segment(segment);
    if (found === undefined) throw new NiobeError('NOT_FOUND', `partition ${this.partition} has no segment ${segment}`);
    return found.view();
  }

  /** All segments, retired ones included. */
  segments(): SegmentInfo[] {
    return [...this.#parts.log.segments()].map(segmentInfo);
  }

  /** Cells, expired ones included until the cleaner comes by. */
  get cells(): number {
    return this.#parts.slots.cells;
  }

  /** Cells of one schema, as {@link cells} counts them. O(1). */
  cellsOf(schemaId: number): number {
    return this.#parts.slots.cellsOf(schemaId);
  }

  /** Asserts that segments, slots, index and live bytes agree. O(bytes): for tests and when in doubt. */
  audit(): void {
    auditPartition(this.#parts);
  }

  /** Frees all memory of the partition. The store is not to be used afterwards. */
  close(): void {
    if (this.#parts.batch.isOpen) this.rollback();
    this.#cleaner.stop();
    closeParts(this.#parts);
  }
}
