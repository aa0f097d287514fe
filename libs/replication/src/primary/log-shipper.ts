import {
  assert,
  every,
  NiobeError,
  silentLogger,
  silentMeter,
  until,
  type Clock,
  type Logger,
  type Meter,
  type Timer,
} from '@niobe/kernel';
import type { Bus } from '@niobe/grid';
import { BackupClient } from '../backup/backup-client.ts';
import type { Attempt } from '../backup/backup-store.ts';
import { BEHIND_BYTES_MAX, WAITERS_MAX } from '../limits.ts';
import { BackupLink, type LinkStatus } from './backup-link.ts';
import { CopyProgress } from './copy-progress.ts';
import { DurableWaiters } from './durable-waiters.ts';
import { PartitionLog, type BaseSegment, type PartitionLogListener, type SegmentSource } from './partition-log.ts';

/**
 * The primary's side of replication: keeps a copy of each of its partitions on every backup server, and knows what is durable.
 *
 * 1. `open` makes the log of a partition, which is given to the store as its listener; `attach` gives the store's memory and begins
 *    to ship. Every backup server is a {@link BackupLink}; each partition on each is a {@link CopyProgress}.
 * 2. A commit is durable when it is on the disk of *every* backup server, in a copy that is complete in this attempt. With one away
 *    nothing becomes durable; those who wait fail with `BACKUP_UNAVAILABLE` when their time is over, and what was appended is
 *    shipped when it returns.
 * 3. A segment that the cleaner retired is freed here and there once everything up to its retirement is durable: then the survivors
 *    are.
 * 4. More than BEHIND_BYTES_MAX behind on one backup server: `isOverloaded`, and the shard answers `BUSY` to writes.
 */

const SWEEP_MS = 20;
const RETRY_AFTER_MS = 500;

/** What a shipper is made of. */
export interface LogShipperOptions {
  readonly bus: Bus;
  readonly deployment: string;
  /** Names of the backup servers; with none, everything is durable at once. */
  readonly backups: readonly string[];
  /** This process, `node@incarnation`: the owner in all its attempts. */
  readonly owner: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** A partition was promised to another attempt: it is not shipped any more, and must not be served. */
  readonly onFenced?: (partition: number, promised: Attempt | null) => void;
}

/** A partition as recovery left it. */
export interface ShippedPartition {
  readonly partition: number;
  /** Epoch of this attempt. */
  readonly epoch: number;
  readonly base: readonly BaseSegment[];
  /** Seq of the last commit of the base; 0 = none. */
  readonly baseSeq: number;
  /** What recovery found damaged, to be overwritten. */
  readonly damaged?: readonly { readonly backup: string; readonly segment: number }[];
}

interface Shipped {
  readonly log: PartitionLog;
  readonly waiters: DurableWaiters;
  durableSeq: number;
}

export class LogShipper implements PartitionLogListener {
  readonly #options: LogShipperOptions;
  readonly #links: readonly BackupLink[];
  readonly #partitions = new Map<number, Shipped>();
  /** Until the log is attached. */
  readonly #damaged = new Map<number, NonNullable<ShippedPartition['damaged']>>();
  readonly #sweeper: Timer;
  #waiting = 0;

  constructor(options: LogShipperOptions) {
    this.#options = options;
    const { bus, deployment, backups, clock, logger = silentLogger, meter = silentMeter } = options;
    const listener = {
      advanced: (log: PartitionLog) => this.#advance(log),
      fenced: (log: PartitionLog, promised: Attempt | null) => this.#fence(log, promised),
    };
    this.#links = backups.map(
      (name) =>
        new BackupLink(new BackupClient(bus, deployment, name), options.owner, { clock, logger, meter }, listener),
    );
    meter.gauge('durable_waiters', 'Batches that wait until they are durable.', () => this.#waiting);
    meter.gauge('backup_behind_limit_bytes', 'How far behind a backup server may be.', () => BEHIND_BYTES_MAX);
    this.#sweeper = every(clock, SWEEP_MS, () => this.#expire());
  }

  /** Makes the log of a partition that this process owns from now on, before its store is made. */
  open(shipped: ShippedPartition): PartitionLog {
    const { partition, epoch, base, baseSeq } = shipped;
    assert(!this.#partitions.has(partition), 'a partition is opened once');
    const log = new PartitionLog(partition, { epoch, owner: this.#options.owner }, base, baseSeq, this);
    const isUnshipped = this.#links.length === 0;
    this.#partitions.set(partition, { log, waiters: new DurableWaiters(), durableSeq: isUnshipped ? baseSeq : 0 });
    this.#damaged.set(partition, shipped.damaged ?? []);
    return log;
  }

  /** Gives the memory of a log that was opened, and begins to ship it. */
  attach(log: PartitionLog, source: SegmentSource): void {
    log.attach(source);
    const damaged = this.#damaged.get(log.partition) ?? [];
    this.#damaged.delete(log.partition);
    for (const link of this.#links) {
      const segments = damaged.filter(({ backup }) => backup === link.backup).map(({ segment }) => segment);
      link.add(new CopyProgress(log, new Set(segments)));
    }
  }

  /** Stops shipping a partition; those who wait for it get `NOT_PRIMARY`. */
  remove(partition: number): void {
    const shipped = this.#partitions.get(partition);
    if (shipped === undefined) return;
    this.#partitions.delete(partition);
    this.#damaged.delete(partition);
    for (const link of this.#links) link.remove(partition);
    this.#waiting -= shipped.waiters.count;
    shipped.waiters.fail(new NiobeError('NOT_PRIMARY', `partition ${partition} is no longer served here`));
  }

  /** Last commit of a partition that is durable; 0 where nothing is, or the partition is not here. */
  durableSeq(partition: number): number {
    return this.#partitions.get(partition)?.durableSeq ?? 0;
  }

  /**
   * Resolves when commit `seq` of the partition is durable on every backup server. `BACKUP_UNAVAILABLE` after `timeoutMs`: it may
   * still become durable; `NOT_PRIMARY`, `FENCED`: the partition went to another owner; `BUSY`: too many wait. O(1) but for
   * what waits in the partition.
   */
  whenDurable(partition: number, seq: number, timeoutMs: number): Promise<void> {
    const shipped = this.#partitions.get(partition);
    if (shipped === undefined)
      return Promise.reject(new NiobeError('NOT_PRIMARY', `partition ${partition} is not served here`));
    if (seq <= shipped.durableSeq) return Promise.resolve();
    if (this.#waiting >= WAITERS_MAX)
      return Promise.reject(new NiobeError('BUSY', `${this.#waiting} batches wait for the backup servers`));
    this.#waiting += 1;
    return shipped.waiters.add(seq, this.#options.clock.monotonicMs() + timeoutMs);
  }

  /** Whether a backup server is so far behind that no more should be written. */
  get isOverloaded(): boolean {
    return this.#links.some((link) => link.behindBytes > BEHIND_BYTES_MAX);
  }

  /** State of each backup server. */
  status(): LinkStatus[] {
    return this.#links.map((link) => link.status);
  }

  /** Waits until all that was appended is durable; `DEADLINE` after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void> {
    const isDrained = (): boolean =>
      [...this.#partitions.values()].every(({ log, durableSeq }) => durableSeq >= log.lastSeq);
    return until(this.#options.clock, isDrained, timeoutMs, 'shipping everything to the backup servers', SWEEP_MS);
  }

  /** Stops shipping. Those who wait get `CLOSED`. */
  close(): void {
    this.#sweeper.cancel();
    for (const link of this.#links) link.close();
    for (const { waiters } of this.#partitions.values()) waiters.fail(new NiobeError('CLOSED', 'the shard stops'));
    this.#partitions.clear();
    this.#waiting = 0;
  }

  /** From the log: it grew. */
  appended(log: PartitionLog, segment: number, bytes: number): void {
    const shipped = this.#partitions.get(log.partition);
    if (shipped?.log !== log) return;
    if (this.#links.length === 0) this.#advance(log);
    for (const link of this.#links) {
      const copy = link.copy(log.partition);
      if (copy === undefined) continue;
      copy.appended(segment, bytes);
      link.wake(copy);
    }
  }

  /** From the log: a segment has no live entry left. */
  retired(log: PartitionLog): void {
    this.#advance(log);
  }

  #advance(log: PartitionLog): void {
    const shipped = this.#partitions.get(log.partition);
    if (shipped?.log !== log) return;
    let seq = log.lastSeq;
    for (const link of this.#links) seq = Math.min(seq, link.copy(log.partition)?.durableSeq ?? 0);
    shipped.durableSeq = Math.max(shipped.durableSeq, seq);
    this.#waiting -= shipped.waiters.count;
    shipped.waiters.reach(shipped.durableSeq);
    this.#waiting += shipped.waiters.count;
    this.#release(shipped);
  }

  #release({ log, durableSeq }: Shipped): void {
    if (!log.isAttached) return;
    for (const segment of log.releaseRetired(durableSeq))
      for (const link of this.#links) {
        const copy = link.copy(log.partition);
        if (copy === undefined) continue;
        copy.released(segment);
        link.wake(copy);
      }
  }

  #fence(log: PartitionLog, promised: Attempt | null): void {
    const shipped = this.#partitions.get(log.partition);
    if (shipped?.log !== log) return;
    const to = promised === null ? 'nobody' : `epoch ${promised.epoch} of ${promised.owner}`;
    const error = new NiobeError('FENCED', `partition ${log.partition} was promised to ${to}`);
    this.#waiting -= shipped.waiters.count;
    shipped.waiters.fail(error);
    this.remove(log.partition);
    this.#options.logger?.warn({ partition: log.partition, epoch: promised?.epoch ?? 0 }, error.message);
    this.#options.onFenced?.(log.partition, promised);
  }

  #expire(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { log, waiters } of this.#partitions.values()) {
      if (waiters.count === 0) continue;
      this.#waiting -= waiters.count;
      waiters.expire(nowMs, (seq) => this.#notDurable(log, seq));
      this.#waiting += waiters.count;
    }
  }

  #notDurable({ partition }: PartitionLog, seq: number): NiobeError {
    const behind = this.#links.filter((link) => (link.copy(partition)?.durableSeq ?? 0) < seq);
    const why = behind.map(({ backup, status }) => `${backup} (${status.reason || 'behind'})`).join(', ');
    return new NiobeError(
      'BACKUP_UNAVAILABLE',
      `commit ${seq} of partition ${partition} is not yet durable on ${why}: try again when the backup servers are back`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }
}
