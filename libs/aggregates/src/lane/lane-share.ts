import {
  deadTopic,
  type EventProducer,
  type OutgoingRecord,
  type PartitionOffsets,
  type RecordBatch,
  type RecordReader,
  type TopicDeclaration,
} from '@niobe/events';
import type { PreparedSection, SectionBuilder } from '@niobe/grid';
import { NiobeError, type Clock, type Random } from '@niobe/kernel';
import type { Cube } from '../cube/cube.ts';
import { sourceNameOf } from '../cube/cube.ts';
import type { Folder } from '../fold/folder.ts';
import { SeenCellBuilder } from '../seen/seen-cell.ts';
import { IDS_WORTH_A_CELL, type SeenStore } from '../seen/seen-store.ts';
import { SeenTable, type SeenWindow } from '../seen/seen-table.ts';
import type { CellGrid, CursorRow } from './cell-grid.ts';
import { DeltaSender, type PreparedDeltas } from './delta-sender.ts';
import { RUN_RECORDS_MAX, RunFolder, type FoldedRun } from './folded-run.ts';
import type { LaneCounters } from './lane-counters.ts';
import { LaneCursors } from './lane-cursors.ts';
import { ATTEMPT_DEADLINE_MS, type Persistence, type Waiting } from './persistent-send.ts';

/**
 * A lane's share of one Kafka partition: what "exactly once" rests on.
 *
 * 1. At the start it reads the cursors of its cubes from every grid partition and begins at the lowest. Where the stored deduplication
 *    cells do not reach back far enough, it begins up to a window earlier and reads those records for the deduplication table alone:
 *    every cursor lies above them, so nothing is folded.
 * 2. A batch is cut into runs. Of each run, first the deduplication cell and the dead letters are made durable, then the deltas are
 *    sent, each grid partition from its own cursor. The position moves when all of that has been answered.
 * 3. Grid partitions that got nothing keep their cursors; every {@link ADVANCE_MS} or {@link ADVANCE_OFFSETS} all are advanced, so a
 *    restart reads at most that much again.
 * 4. One thing at a time: batches and advances of a share take turns.
 * 5. The watermark that travels with a run is the one from before the run. A run begins when all before it is in everywhere, so a
 *    watermark that any grid partition has stored holds for all of them.
 */

/** All cursors are brought to the position at least so often, in time ... */
const ADVANCE_MS = 5_000;
/** ... and in offsets. */
const ADVANCE_OFFSETS = 100_000;
/** Grid partitions that were left behind as damaged are asked again so often. */
const ASK_LEFT_MS = 30_000;

/** What a share stands on. */
export interface ShareParts {
  readonly topic: TopicDeclaration;
  readonly partition: number;
  readonly cubes: readonly Cube[];
  readonly folder: Folder;
  readonly reader: RecordReader;
  readonly grid: CellGrid;
  readonly seen: SeenStore;
  readonly producer: EventProducer;
  readonly counters: LaneCounters;
  readonly clock: Clock;
  readonly random: Random;
}

export class LaneShare {
  readonly partition: number;
  readonly #parts: ShareParts;
  readonly #cursors: LaneCursors;
  readonly #window: SeenWindow;
  readonly #table: SeenTable;
  readonly #seenCell = new SeenCellBuilder();
  readonly #persistence: Persistence;
  readonly #sender: DeltaSender;
  readonly #runs: RunFolder;
  /** Records below were counted before this share began. */
  readonly #countFrom: number;
  #position: number;
  /** End of the run that is under way. */
  #runTo = 0;
  /** Offsets up to here are in the cell that may still grow; -1 where none may. */
  #seenTo = -1;
  #seenIds = 0;
  #watermarkMs: number;
  #advancedMs: number;
  #advancedTo: number;
  #advancedWatermarkMs = 0;
  #askedLeftMs: number;
  /** Kafka timestamp at the position, Unix seconds. */
  #second = 0;
  #turn: Promise<void> = Promise.resolve();
  #turnsAsked = 0;
  #limit = Number.POSITIVE_INFINITY;
  /** Lowest cursor of all lanes at this Kafka partition, with its Kafka timestamp; null: unknown, so nothing may be deleted. */
  floor: { readonly offset: number; readonly second: number } | null = null;

  private constructor(parts: ShareParts, applied: Float64Array, watermarkMs: number, persistence: Persistence) {
    this.#parts = parts;
    this.partition = parts.partition;
    this.#cursors = new LaneCursors(applied);
    this.#window = windowOf(parts.topic);
    this.#table = new SeenTable(this.#window, this.#window.ids + 2 * (ADVANCE_OFFSETS + RUN_RECORDS_MAX));
    this.#persistence = persistence;
    this.#sender = new DeltaSender(parts.grid, persistence, sourcesOf(parts), this.#cursors);
    this.#runs = new RunFolder(parts.reader, parts.folder);
    this.#position = this.#countFrom = this.#advancedTo = this.#cursors.lowest;
    this.#watermarkMs = watermarkMs;
    this.#advancedMs = this.#askedLeftMs = parts.clock.monotonicMs();
  }

  /**
   * Reads where the share stands; see 1. Throws `OFFSET_GONE` where Kafka no longer has what a cursor needs, `OFFSET_MISMATCH` where
   * the cubes do not stand together, and what reading the grid throws.
   *
   * @param offsets what Kafka has of the partition.
   * @param persistence lets the caller end what is being tried.
   */
  static async open(parts: ShareParts, offsets: PartitionOffsets, persistence: Persistence): Promise<LaneShare> {
    const rows = await parts.grid.cursors(sourcesOf(parts), ATTEMPT_DEADLINE_MS);
    const applied = Float64Array.from(rows, (row, gridPartition) => commonOffset(row, parts, gridPartition));
    const fresh = rows.every((row) => row.every(({ offset }) => offset === null));
    const watermarkMs = Math.max(0, ...rows.flat().map((row) => row.watermarkMs ?? 0));
    const share = new LaneShare(parts, applied, watermarkMs, persistence);
    if (fresh) await share.#beginAt(offsets.earliest);
    else share.#checkReach(offsets);
    await share.#loadSeen(offsets.earliest);
    return share;
  }

  /** Offset of the next record this share wants. */
  get position(): number {
    return this.#position;
  }

  /** Lowest cursor that a grid partition keeps for this share. */
  get lowestCursor(): number {
    return this.#cursors.lowest;
  }

  /** Kafka timestamp of the last record read, Unix seconds. */
  get second(): number {
    return this.#second;
  }

  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** What the share waits for, or null. */
  get waiting(): Waiting | null {
    return this.#persistence.waiting;
  }

  /** Grid partitions left behind because they are damaged in every copy. */
  get leftBehind(): number {
    return this.#cursors.leftBehind;
  }

  /** Ids and bytes of the deduplication table. */
  get table(): { readonly entries: number; readonly bytes: number } {
    return this.#table;
  }

  /** No offset at or above `offset` is read until the limit is lifted (infinity). */
  limit(offset: number): void {
    this.#limit = offset;
  }

  get limitNow(): number {
    return this.#limit;
  }

  /** Where the run under way will end, or the position. The earliest offset at which the share can be told to stop. */
  get reserved(): number {
    return Math.max(this.#position, this.#runTo);
  }

  /** Ends what is being tried with `CLOSED`; what was not sent is read again by whoever has the partition next. */
  close(): void {
    this.#persistence.close();
  }

  /** A fresh lane of a topic whose first records are gone begins where Kafka begins; every grid partition knows before any delta. */
  async #beginAt(earliest: number): Promise<void> {
    this.#position = this.#advancedTo = earliest;
    if (earliest > 0) await this.#advanceAll();
  }

  #checkReach({ earliest, latest }: PartitionOffsets): void {
    const lowest = this.#cursors.lowest;
    if (lowest >= earliest && lowest <= latest) return;
    const { topic, partition, cubes } = this.#parts;
    const names = cubes.map(({ name }) => name).join(', ');
    throw new NiobeError(
      'OFFSET_GONE',
      `topic ${topic.name}, partition ${partition}: the lowest cursor of ${names} is ${lowest}, but Kafka has ${earliest} to ${latest}; ` +
        'restore the records, or count anew with --rebuild-cube',
      { topic: topic.name, partition, offset: lowest, earliest, latest },
    );
  }

  async #loadSeen(earliest: number): Promise<void> {
    const { seen } = this.#parts;
    const needed = Math.max(earliest, this.#position - this.#window.ids);
    this.#table.raiseFloor(needed);
    await seen.load(needed, ATTEMPT_DEADLINE_MS, (hash, offset, second) =>
      this.#table.remember(hash, 0, offset, second),
    );
    if (seen.reachesBackFrom(this.#position, this.#window.seconds) > needed) this.#position = needed;
  }

  /** Takes what a batch has from the position on. When it ends, {@link position} says where to go on; not always behind the batch. */
  take(batch: RecordBatch): Promise<void> {
    return this.#inTurn(() => this.#take(batch));
  }

  async #take(batch: RecordBatch): Promise<void> {
    while (batch.from <= this.#position && this.#position < Math.min(batch.to, this.#limit)) {
      const expected = await this.#takeRun(batch, Math.min(batch.to, this.#limit));
      if (this.#position !== expected) return this.#parts.counters.corrections.add(1);
    }
    if (this.#isAdvanceDue()) await this.#advance();
  }

  /** Returns the offset that the run ends at. */
  async #takeRun(batch: RecordBatch, to: number): Promise<number> {
    const { seen, folder } = this.#parts;
    if (!this.#seenGoesOn()) seen.begin(this.#seenCell, this.#position);
    const { done } = this.#cursors;
    const run = this.#runs.fold(
      batch,
      this.#position,
      to,
      done,
      this.#countFrom,
      this.#watermarkMs,
      this.#table,
      this.#seenCell,
    );
    this.#runTo = run.to;
    const deltas = this.#prepare(run, folder);
    const foldedMs = this.#parts.clock.monotonicMs();
    await Promise.all([this.#storeSeen(run), this.#sendDead(run.dead)]);
    await this.#sender.send(deltas);
    this.#parts.counters.mergeSeconds.observe((this.#parts.clock.monotonicMs() - foldedMs) / 1000);
    this.#count(run);
    this.#watermarkMs = run.watermarkMs;
    this.#second = Math.max(this.#second, run.newestS);
    this.#position = this.#cursors.finish(run.to);
    this.#runTo = 0;
    return run.to;
  }

  #prepare(run: FoldedRun, folder: Folder): PreparedDeltas[] {
    const deltas: PreparedDeltas[] = [];
    for (let gridPartition = 0; gridPartition < this.#parts.grid.partitions; gridPartition++) {
      if (folder.deltaBytes(gridPartition) === 0) continue;
      const append = (section: SectionBuilder): void => folder.writeOps(gridPartition, section);
      deltas.push(this.#sender.prepare(gridPartition, run.to, this.#watermarkMs, append));
    }
    this.#parts.counters.deltas.add(folder.groups);
    return deltas;
  }

  /** The cell that was stored last may take the next run as well. */
  #seenGoesOn(): boolean {
    return this.#seenTo === this.#position && this.#seenIds < IDS_WORTH_A_CELL;
  }

  async #storeSeen(run: FoldedRun): Promise<void> {
    const { seen } = this.#parts;
    this.#seenTo = -1;
    if (seen.coverage.holds(run.from, run.to)) return;
    const { section, cell } = seen.put(this.#seenCell, run.to);
    await this.#write(section);
    seen.stored(cell);
    this.#seenTo = run.to;
    this.#seenIds = this.#seenCell.entries;
  }

  async #sendDead(dead: readonly OutgoingRecord[]): Promise<void> {
    if (dead.length === 0) return;
    const { producer, topic } = this.#parts;
    await this.#persistence.until(async () => {
      await producer.send(deadTopic(topic.name), dead);
      return null;
    });
  }

  /** Writes a section without sources, again and again until it is in: it has no second effect. */
  async #write(section: PreparedSection): Promise<void> {
    await this.#persistence.until(async () => {
      const [answer] = await this.#parts.grid.write([section], ATTEMPT_DEADLINE_MS);
      return answer!.refusal;
    });
  }

  #count(run: FoldedRun): void {
    const { counters } = this.#parts;
    counters.batches.add(1);
    counters.events.add(run.events);
    counters.duplicates.add(run.duplicates);
    counters.expired.add(run.expired);
    counters.deadLetters.add(run.dead.length);
  }

  #isAdvanceDue(): boolean {
    const { clock } = this.#parts;
    const age = clock.monotonicMs() - this.#advancedMs;
    return age >= ADVANCE_MS || this.#position - this.#advancedTo >= ADVANCE_OFFSETS;
  }

  /**
   * Called every second or so: advances all grid partitions when that is due.
   * @param idleWatermarkMs event time that an idle share may say it has seen, because the others have; 0 while it is not idle.
   */
  tick(idleWatermarkMs: number): Promise<void> {
    if (this.#turnsAsked > 0) return this.#turn;
    return this.#inTurn(async () => {
      if (!this.#isAdvanceDue()) return;
      if (idleWatermarkMs > this.#watermarkMs) this.#watermarkMs = idleWatermarkMs;
      await this.#advance();
      await this.#askLeft();
    });
  }

  /** Brings every grid partition to the position now, so that the next start finds all at one offset. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#advance());
  }

  async #advance(): Promise<void> {
    await this.#advanceAll();
    await this.#deleteSeen();
  }

  async #advanceAll(): Promise<void> {
    const to = this.#position;
    const sections: PreparedDeltas[] = [];
    for (let gridPartition = 0; gridPartition < this.#cursors.applied.length; gridPartition++) {
      const applied = this.#cursors.applied[gridPartition]!;
      const isThere = applied > to || (applied === to && this.#watermarkMs === this.#advancedWatermarkMs);
      if (isThere || this.#cursors.isLeft(gridPartition)) continue;
      sections.push(this.#sender.prepare(gridPartition, to, this.#watermarkMs, null));
    }
    await this.#sender.send(sections);
    this.#position = this.#cursors.finish(to);
    this.#advancedTo = to;
    this.#advancedWatermarkMs = this.#watermarkMs;
    this.#advancedMs = this.#parts.clock.monotonicMs();
    this.#table.raiseFloor(this.#cursors.lowest - this.#window.ids);
  }

  async #deleteSeen(): Promise<void> {
    const { seen } = this.#parts;
    const old = this.floor === null ? [] : seen.outOfReach(this.floor.offset, this.floor.second, this.#window);
    if (old.length === 0) return;
    await this.#write(seen.delete(old));
    seen.deleted(old);
  }

  /** Grid partitions that were left behind and are served again take part from their cursors on: the position goes back. */
  async #askLeft(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#cursors.leftBehind === 0 || nowMs - this.#askedLeftMs < ASK_LEFT_MS) return;
    this.#askedLeftMs = nowMs;
    const left = Array.from(this.#cursors.applied.keys()).filter((gridPartition) =>
      this.#cursors.isLeft(gridPartition),
    );
    const asked = left.map((gridPartition) =>
      this.#sender.prepare(gridPartition, this.#cursors.applied[gridPartition]!, this.#watermarkMs, null),
    );
    const answers = await this.#parts.grid.write(
      asked.map(({ section }) => section),
      ATTEMPT_DEADLINE_MS,
    );
    left.forEach((gridPartition, index) => {
      if (answers[index]!.refusal === null) this.#cursors.rejoin(gridPartition);
    });
    this.#position = this.#cursors.finish(this.#position);
  }

  /** Runs `work` after what was asked before, whether that ended well or not. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turnsAsked += 1;
    const turn = this.#turn.then(work).finally(() => (this.#turnsAsked -= 1));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function windowOf({ deduplicate }: TopicDeclaration): SeenWindow {
  return { ids: deduplicate.ids, seconds: deduplicate.hours * 3_600 };
}

function sourcesOf({ cubes, topic, partition }: Pick<ShareParts, 'cubes' | 'topic' | 'partition'>): string[] {
  return cubes.map((cube) => sourceNameOf(cube, topic.name, partition));
}

function commonOffset(row: readonly CursorRow[], parts: ShareParts, gridPartition: number): number {
  const offset = row[0]!.offset ?? 0;
  if (row.every((other) => (other.offset ?? 0) === offset)) return offset;
  throw new NiobeError(
    'OFFSET_MISMATCH',
    `topic ${parts.topic.name}, partition ${parts.partition}: the cubes of a lane have different cursors in grid partition ${gridPartition}`,
  );
}
