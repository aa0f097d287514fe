import { createHash } from 'node:crypto';
import { RecordReader, type EventConsumer, type PartitionOffsets, type RecordBatch } from '@niobe/events';
import { isNiobeError, messageOf, type Logger } from '@niobe/kernel';
import type { Derivation, DerivationKind, EventFolder } from './derivation.ts';
import type { LaneSurroundings } from './lane-surroundings.ts';
import { LaneShare, type ShareParts } from './lane-share.ts';
import { Persistence, type Waiting } from './persistent-send.ts';
import type { SeenStore } from '../seen/seen-store.ts';

/**
 * Derivations of one topic whose cursors are equal, consumed together by one consumer and folded in one pass.
 *
 * The lane binds its shares to the event log: a partition that is assigned is opened and sought; a batch goes to its share; a share
 * that waits longer than {@link PARK_AFTER_MS} is paused in Kafka, so that the group goes on, and resumed when what it held is in. The
 * group's own offsets are never used.
 */

/** A handler that waits longer lets its partition pause. */
export const PARK_AFTER_MS = 20_000;
/** At low rates a batch gathers so long. */
const GATHER_MS = 20;
/** Bytes of one fetch from a Kafka partition. */
export const FETCH_BYTES: number = 1024 * 1024;
/** A share without records for so long does not hold back the watermark of the others. */
const IDLE_MS = 60_000;
/** Kafka is asked for its newest offsets so often. */
const LATEST_MS = 5_000;

/** A partition that is assigned to the lane. */
interface Assignment {
  readonly partition: number;
  readonly persistence: Persistence;
  share: LaneShare | null;
  /** Why the share cannot be opened, or not go on for good. */
  failure: Waiting | null;
  latest: number;
  recordMs: number;
  parked: boolean;
}

/** What a lane reports about one of its partitions. */
export interface ShareReport {
  readonly topic: string;
  readonly partition: number;
  /** Names of the lane's derivations. */
  readonly derivations: readonly string[];
  readonly position: number | null;
  /** Records Kafka has beyond the position, as far as known. */
  readonly lag: number;
  readonly waiting: Waiting | null;
  readonly leftBehind: number;
  readonly seenIds: number;
  readonly seenBytes: number;
}

export class Lane<D extends Derivation> {
  readonly topic: string;
  readonly #around: LaneSurroundings;
  readonly #kind: DerivationKind<D>;
  readonly #derivations: readonly D[];
  readonly #names: readonly string[];
  readonly #seenOf: (partition: number) => SeenStore;
  readonly #onApart: (reason: string) => void;
  readonly #folderOf: () => EventFolder;
  readonly #logger: Logger;
  readonly #assigned = new Map<number, Assignment>();
  #consumer: EventConsumer | null = null;
  #askedMs = 0;
  #closed = false;

  /**
   * @param seenOf the deduplication store of a Kafka partition, shared by the topic's lanes.
   * @param onApart called when the derivations no longer stand together and lanes must be planned anew.
   */
  constructor(
    around: LaneSurroundings,
    kind: DerivationKind<D>,
    topic: string,
    derivations: readonly D[],
    seenOf: (partition: number) => SeenStore,
    onApart: (reason: string) => void,
  ) {
    this.#around = around;
    this.topic = topic;
    this.#kind = kind;
    this.#derivations = derivations;
    this.#names = derivations.map(({ name }) => name);
    this.#seenOf = seenOf;
    this.#onApart = onApart;
    this.#folderOf = kind.folders(derivations);
    this.#logger = around.logger.child({ topic, derivations: this.#names.join(',') });
  }

  /** Joins the group and consumes in the background. */
  start(): void {
    this.#consumer = this.#around.log.consumer({
      group: this.#group(),
      topic: this.topic,
      gatherMs: GATHER_MS,
      maxBatchBytes: FETCH_BYTES,
      onAssigned: (partitions) => partitions.forEach((partition) => this.#assign(partition)),
      onRevoked: (partitions) => partitions.forEach((partition) => this.#revoke(partition)),
      onBatch: (batch) => this.#take(batch),
      onFailed: (partition, error) => this.#fail(partition, error),
    });
  }

  /** Processes that would consume the same share the work. */
  #group(): string {
    const sources = this.#derivations.flatMap((derivation) => this.#kind.sources(derivation, this.topic, 0));
    const hash = createHash('sha256').update(sources.toSorted().join(' ')).digest('hex');
    return `${this.#around.group}.${this.topic}.${hash.slice(0, 8)}`;
  }

  #assign(partition: number): void {
    const nowMs = this.#around.clock.monotonicMs();
    const persistence = new Persistence(this.#around.clock, this.#around.random, this.#logger);
    const assignment: Assignment = {
      partition,
      persistence,
      share: null,
      failure: null,
      latest: 0,
      recordMs: nowMs,
      parked: false,
    };
    this.#assigned.set(partition, assignment);
    void this.#inBackground(this.#open(assignment), assignment);
  }

  #revoke(partition: number): void {
    this.#assigned.get(partition)?.persistence.close();
    this.#assigned.delete(partition);
  }

  #isCurrent(assignment: Assignment): boolean {
    return !this.#closed && this.#assigned.get(assignment.partition) === assignment;
  }

  /** Opens the share, trying again while something is away, and begins to read. */
  async #open(assignment: Assignment): Promise<void> {
    const { partition, persistence } = assignment;
    let share: LaneShare | null = null;
    await persistence.until(async () => {
      const offsets = await this.#offsetsOf(partition);
      assignment.latest = offsets.latest;
      share = await LaneShare.open(this.#partsOf(partition), offsets, persistence);
      return null;
    });
    if (share === null || !this.#isCurrent(assignment)) return;
    assignment.share = share;
    this.#consumer?.seek(partition, (share as LaneShare).position);
  }

  #partsOf(partition: number): ShareParts {
    const { catalogue } = this.#around;
    const topic = catalogue.topic(this.topic);
    const sources = this.#derivations.map((derivation) => this.#kind.sources(derivation, this.topic, partition));
    return {
      ...this.#around,
      topic,
      partition,
      names: this.#names,
      sources: sources[0]!.map((_, stage) => sources.map((stages) => stages[stage]!)),
      rules: this.#kind,
      remedy: this.#kind.remedy,
      folder: this.#folderOf(),
      reader: new RecordReader(catalogue, topic),
      seen: this.#seenOf(partition),
    };
  }

  async #offsetsOf(partition: number): Promise<PartitionOffsets> {
    const offsets = await this.#around.log.offsets(this.topic);
    return offsets[partition] ?? { earliest: 0, latest: 0 };
  }

  async #take(batch: RecordBatch): Promise<void> {
    const assignment = this.#assigned.get(batch.partition);
    const share = assignment?.share;
    if (assignment === undefined || share === null || share === undefined) return;
    assignment.latest = Math.max(batch.highWatermark, batch.to);
    assignment.recordMs = this.#around.clock.monotonicMs();
    const work = this.#inBackground(share.take(batch), assignment);
    if (await this.#endsBefore(work, PARK_AFTER_MS)) return this.#goOn(assignment, share, batch.to);
    this.#park(assignment, share, work);
  }

  async #endsBefore(work: Promise<void>, timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = this.#around.clock.after(timeoutMs, () => resolve(false));
    void work.then(() => resolve(true));
    const ended = await promise;
    timer.cancel();
    return ended;
  }

  /** The log goes on behind the batch by itself; the share may want something else. */
  #goOn(assignment: Assignment, share: LaneShare, batchEnd: number): void {
    if (!this.#isCurrent(assignment) || assignment.failure !== null) return;
    if (share.position >= share.limitNow) this.#consumer?.pause(assignment.partition);
    if (share.position !== batchEnd) this.#consumer?.seek(assignment.partition, share.position);
  }

  #park(assignment: Assignment, share: LaneShare, work: Promise<void>): void {
    this.#consumer?.pause(assignment.partition);
    assignment.parked = true;
    this.#logger.warn(
      { partition: assignment.partition, reason: share.waiting?.reason ?? '' },
      'paused: a batch waits',
    );
    void work.then(() => {
      assignment.parked = false;
      if (!this.#isCurrent(assignment) || assignment.failure !== null) return;
      this.#consumer?.seek(assignment.partition, share.position);
      if (share.position < share.limitNow) this.#consumer?.resume(assignment.partition);
      this.#logger.info({ partition: assignment.partition }, 'resumed');
    });
  }

  /** `work`, whose operating errors are kept in the assignment; a programmer error ends the process. */
  async #inBackground(work: Promise<void>, assignment: Assignment): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!isNiobeError(error)) queueMicrotask(() => rethrow(error));
      else if (error.code === 'OFFSET_MISMATCH') this.#onApart(error.message);
      else if (error.code !== 'CLOSED') this.#keepFailure(assignment, error.code, error.message);
    }
  }

  #fail(partition: number, error: Error): void {
    const assignment = this.#assigned.get(partition);
    if (assignment !== undefined)
      this.#keepFailure(assignment, isNiobeError(error) ? error.code : 'UNKNOWN', messageOf(error));
  }

  #keepFailure(assignment: Assignment, code: string, reason: string): void {
    if (!this.#isCurrent(assignment)) return;
    assignment.failure = { code, reason, sinceMs: this.#around.clock.monotonicMs() };
    this.#consumer?.pause(assignment.partition);
    this.#logger.error({ partition: assignment.partition, code, reason }, 'a partition cannot go on');
  }

  /** Called about every second: advances what is due, keeps watermarks and lags up to date. */
  async tick(): Promise<void> {
    const nowMs = this.#around.clock.monotonicMs();
    if (nowMs - this.#askedMs >= LATEST_MS) await this.#askLatest(nowMs);
    const idleWatermarkMs = this.#activeWatermarkMs(nowMs);
    for (const assignment of this.#assigned.values()) {
      const { share } = assignment;
      if (share === null || assignment.failure !== null || assignment.parked) continue;
      void this.#tickShare(assignment, share, this.#isIdle(assignment, nowMs) ? idleWatermarkMs : 0);
    }
  }

  async #tickShare(assignment: Assignment, share: LaneShare, idleWatermarkMs: number): Promise<void> {
    const before = share.position;
    await this.#inBackground(share.tick(idleWatermarkMs), assignment);
    if (this.#isCurrent(assignment) && share.position < before)
      this.#consumer?.seek(assignment.partition, share.position);
  }

  #isIdle({ share, latest, recordMs }: Assignment, nowMs: number): boolean {
    return share !== null && share.position >= latest && nowMs - recordMs >= IDLE_MS;
  }

  /** The lowest watermark of the shares that are not idle; 0 where there is none. */
  #activeWatermarkMs(nowMs: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const assignment of this.#assigned.values()) {
      if (assignment.share !== null && !this.#isIdle(assignment, nowMs))
        lowest = Math.min(lowest, assignment.share.watermarkMs);
    }
    return Number.isFinite(lowest) ? lowest : 0;
  }

  async #askLatest(nowMs: number): Promise<void> {
    this.#askedMs = nowMs;
    try {
      const offsets = await this.#around.log.offsets(this.topic);
      for (const assignment of this.#assigned.values()) {
        assignment.latest = Math.max(assignment.latest, offsets[assignment.partition]?.latest ?? 0);
      }
    } catch (error) {
      if (!isNiobeError(error)) throw error;
    }
  }

  /** The open share of a partition, or null. */
  shareOf(partition: number): LaneShare | null {
    const assignment = this.#assigned.get(partition);
    return assignment === undefined || assignment.failure !== null ? null : assignment.share;
  }

  /** Reads nothing at or beyond `offset` of a partition; infinity lifts the limit. */
  limit(partition: number, offset: number): void {
    const share = this.shareOf(partition);
    if (share === null) return;
    share.limit(offset);
    if (share.position < offset) this.#consumer?.resume(partition);
    else this.#consumer?.pause(partition);
  }

  report(): ShareReport[] {
    return [...this.#assigned.values()].map(({ partition, share, failure, persistence, latest }) => ({
      topic: this.topic,
      partition,
      derivations: this.#names,
      position: share?.position ?? null,
      lag: Math.max(0, latest - (share?.position ?? 0)),
      waiting: failure ?? persistence.waiting,
      leftBehind: share?.leftBehind ?? 0,
      seenIds: share?.table.entries ?? 0,
      seenBytes: share?.table.bytes ?? 0,
    }));
  }

  /** Brings all cursors to the positions, then leaves the group. What cannot be brought there is read again by the next start. */
  async drain(): Promise<void> {
    const shares = [...this.#assigned.values()].filter(
      ({ failure, persistence }) => failure === null && persistence.waiting === null,
    );
    for (const { partition } of shares) this.#consumer?.pause(partition);
    await Promise.allSettled(shares.map(async ({ share }) => share?.settle()));
    await this.close();
  }

  /** Leaves the group; what is in flight ends with `CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { persistence } of this.#assigned.values()) persistence.close();
    await this.#consumer?.close();
    this.#assigned.clear();
  }
}

function rethrow(error: unknown): never {
  throw error;
}
