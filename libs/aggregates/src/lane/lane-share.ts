import {
  deadTopic,
  type EventProducer,
  type OutgoingRecord,
  type PartitionOffsets,
  type RecordBatch,
  type RecordReader,
  type TopicDeclaration,
} from '@niobe/events';
import type { PreparedSection } from '@niobe/grid';
import { NiobeError, type Clock, type Random } from '@niobe/kernel';
import { SeenCellBuilder } from '../seen/seen-cell.ts';
import { IDS_WORTH_A_CELL, type SeenStore } from '../seen/seen-store.ts';
import { SeenTable, type SeenWindow } from '../seen/seen-table.ts';
import type { CellGrid } from './cell-grid.ts';
import { stageCursors } from './stage-cursors.ts';
import type { PreparedDeltas, SendRules } from './delta-sender.ts';
import type { EventFolder } from './derivation.ts';
import { RUN_RECORDS_MAX, RunFolder, type FoldedRun } from './folded-run.ts';
import type { LaneCounters } from './lane-counters.ts';
import { LaneStage } from './lane-stage.ts';
import { ATTEMPT_DEADLINE_MS, type Persistence, type Waiting } from './persistent-send.ts';

/**
 * A lane's share of one Kafka partition: what "exactly once" rests on.
 *
 * 1. At the start it reads the cursors of its derivations from every grid partition and begins at the lowest. Where the stored deduplication
 *    cells do not reach back far enough, it begins up to a window earlier and reads those records for the deduplication table alone:
 *    every cursor lies above them, so nothing is folded.
 * 2. A batch is cut into runs. Of each run, first the deduplication cell and the dead letters are made durable, then the deltas are
 *    sent, stage after stage, each grid partition from its own cursor. The position moves when all of that has been answered. A stage
 *    whose batch another process had sent otherwise ends the run there: what follows would build on what is not in.
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
  /** Names of the lane's derivations, for errors. */
  readonly names: readonly string[];
  /** By stage: names of the derivations' sources. */
  readonly sources: readonly (readonly string[])[];
  readonly rules: SendRules;
  /** See `DerivationKind.remedy`. */
  readonly remedy: string;
  readonly folder: EventFolder;
  readonly reader: RecordReader;
  readonly grid: CellGrid;
  readonly seen: SeenStore;
  /** For dead letters; null where another process writes them. */
  readonly producer: EventProducer | null;
  readonly counters: LaneCounters;
  readonly clock: Clock;
  readonly random: Random;
}

export class LaneShare {
  readonly partition: number;
  readonly #parts: ShareParts;
  readonly #stages: readonly LaneStage[];
  /** Of each stage; what the folder asks for. */
  readonly #done: readonly Float64Array[];
  readonly #window: SeenWindow;
  readonly #table: SeenTable;
  readonly #seenCell = new SeenCellBuilder();
  readonly #persistence: Persistence;
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
  #askedLeftMs: number;
  /** Kafka timestamp at the position, Unix seconds. */
  #second = 0;
  #turn: Promise<void> = Promise.resolve();
  #turnsAsked = 0;
  #limit = Number.POSITIVE_INFINITY;
  /** Lowest cursor of all lanes at this Kafka partition, with its Kafka timestamp; null: unknown, so nothing may be deleted. */
  floor: { readonly offset: number; readonly second: number } | null = null;

  private constructor(
    parts: ShareParts,
    applied: readonly Float64Array[],
    watermarkMs: number,
    persistence: Persistence,
  ) {
    const { grid, rules } = parts;
    this.#parts = parts;
    this.partition = parts.partition;
    this.#stages = applied.map(
      (offsets, stage) => new LaneStage(grid, persistence, rules, parts.sources[stage]!, offsets),
    );
    this.#done = this.#stages.map(({ cursors }) => cursors.done);
    this.#window = windowOf(parts.topic);
    this.#table = new SeenTable(this.#window, this.#window.ids + 2 * (ADVANCE_OFFSETS + RUN_RECORDS_MAX));
    this.#persistence = persistence;
    this.#runs = new RunFolder(parts.reader, parts.folder);
    this.#position = this.#countFrom = this.#advancedTo = this.lowestCursor;
    this.#watermarkMs = watermarkMs;
    this.#advancedMs = this.#askedLeftMs = parts.clock.monotonicMs();
  }

  /**
   * Reads where the share stands; see 1. Throws `OFFSET_GONE` where Kafka no longer has what a cursor needs, `OFFSET_MISMATCH` where
   * the derivations do not stand together, and what reading the grid throws.
   *
   * @param offsets what Kafka has of the partition.
   * @param persistence lets the caller end what is being tried.
   */
  static async open(parts: ShareParts, offsets: PartitionOffsets, persistence: Persistence): Promise<LaneShare> {
    const rows = await parts.grid.cursors(parts.sources.flat(), ATTEMPT_DEADLINE_MS);
    const applied = parts.sources.map((_, stage) => stageCursors(rows, parts, stage));
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
    return Math.min(...this.#stages.map(({ cursors }) => cursors.lowest));
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
    return Math.max(...this.#stages.map(({ cursors }) => cursors.leftBehind));
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
    const lowest = this.lowestCursor;
    if (lowest >= earliest && lowest <= latest) return;
    const { topic, partition, names, remedy } = this.#parts;
    throw new NiobeError(
      'OFFSET_GONE',
      `topic ${topic.name}, partition ${partition}: the lowest cursor of ${names.join(', ')} is ${lowest}, ` +
        `but Kafka has ${earliest} to ${latest}; ${remedy}`,
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
    const { seen, clock, counters } = this.#parts;
    if (!this.#seenGoesOn()) seen.begin(this.#seenCell, this.#position);
    const run = this.#runs.fold(
      batch,
      this.#position,
      to,
      this.#done,
      this.#countFrom,
      this.#watermarkMs,
      this.#table,
      this.#seenCell,
    );
    this.#runTo = run.to;
    const first = this.#sections(0, run.to);
    const foldedMs = clock.monotonicMs();
    await Promise.all([this.#storeSeen(run), this.#sendDead(run.dead)]);
    await this.#stages[0]!.send(first);
    if (await this.#endStages(run)) this.#count(run);
    counters.mergeSeconds.observe((clock.monotonicMs() - foldedMs) / 1000);
    this.#runTo = 0;
    return run.to;
  }

  #sections(stage: number, to: number): PreparedDeltas[] {
    const { folder, counters } = this.#parts;
    const fold = folder.stages[stage]!;
    counters.deltas.add(fold.ops);
    return this.#stages[stage]!.sections(fold, to, this.#watermarkMs);
  }

  /** Behind the first stage: sends the others and moves the position. False where the run ended early, see 2. */
  async #endStages({ from, to }: FoldedRun): Promise<boolean> {
    for (const [index, stage] of this.#stages.entries()) {
      const fold = this.#parts.folder.stages[index]!;
      if (index > 0) {
        await stage.prepare(fold);
        await stage.send(this.#sections(index, to));
      }
      const next = stage.cursors.finish(to);
      if (next < to) {
        // The stages behind have nothing of this run yet.
        this.#position = index < this.#stages.length - 1 ? Math.min(from, next) : next;
        return false;
      }
      fold.taken?.();
    }
    this.#position = to;
    return true;
  }

  #finish(to: number): number {
    return Math.min(...this.#stages.map(({ cursors }) => cursors.finish(to)));
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
    if (producer === null) return;
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

  /** A run is in everywhere. */
  #count(run: FoldedRun): void {
    const { counters } = this.#parts;
    counters.batches.add(1);
    counters.events.add(run.events);
    counters.duplicates.add(run.duplicates);
    counters.expired.add(run.expired);
    counters.deadLetters.add(run.dead.length);
    this.#watermarkMs = run.watermarkMs;
    this.#second = Math.max(this.#second, run.newestS);
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
    for (const stage of this.#stages)
      this.#position = Math.min(this.#position, await stage.advance(to, this.#watermarkMs));
    this.#advancedTo = to;
    this.#advancedMs = this.#parts.clock.monotonicMs();
    this.#table.raiseFloor(this.lowestCursor - this.#window.ids);
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
    if (this.leftBehind === 0 || nowMs - this.#askedLeftMs < ASK_LEFT_MS) return;
    this.#askedLeftMs = nowMs;
    for (const stage of this.#stages) await stage.askLeft(this.#watermarkMs);
    this.#position = this.#finish(this.#position);
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
