import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  assert,
  messageOf,
  NiobeError,
  silentLogger,
  silentMeter,
  type Clock,
  type Counter,
  type Histogram,
  type Logger,
  type Meter,
  type Random,
} from '@niobe/kernel';
import type {
  Attempt,
  BackupStore,
  BackupStoreReport,
  Catalogue,
  Change,
  CopyHolding,
  CopyLedger,
  DamageReport,
  Verdict,
} from '@niobe/replication';
import { diskError } from './disk-errors.ts';
import { syncFolder } from './durable-file.ts';
import { FolderLock } from './folder-lock.ts';
import { Journal, type JournalSize } from './journal.ts';
import { recordBytes, RoundRecord } from './journal-record.ts';
import { encodeManifest, writeManifest } from './manifest.ts';
import { openState, type StoreState } from './open-state.ts';
import { segmentFileName, type SegmentFileId, type SegmentFiles } from './segment-files.ts';

/**
 * The backup store on a disk.
 *
 * 1. *Staging* judges a change against the ledger, applies it there, and copies it into the record of the round.
 * 2. *Sync* writes the record to the journal: one write, one fdatasync. From here the round is durable.
 * 3. Behind it the bytes go to segment files, in larger writes and without sync.
 * 4. A *checkpoint*, whenever a journal part was left: files are flushed and synced, then the manifest of the round that was the
 *    last when it began is written, twice; then files of freed segments are removed and the parts up to that round are free.
 * 5. *Opening* reads the manifest, does again what the journal holds after it, and makes a checkpoint. Doing again is harmless:
 *    bytes go to the same offsets, and rounds are done in their order to their end.
 *
 * The space needed is that of the journal, which is fixed, and of the segments held, freed ones until the next checkpoint. A full disk
 * shows in 3 and 4; rounds go on until the journal is full, then `prepare` refuses with `DISK_FULL` until a checkpoint succeeds.
 * An error of the journal itself is the end: what the disk holds is then known only to the next opening.
 */

const MiB = 1024 * 1024;
const FLUSH_BYTES = 8 * MiB;
/** Bytes that may wait for segment files before rounds wait for them. */
const WRITE_BEHIND_BYTES_MAX = 32 * MiB;
/** Pause after a failed write of segment files or manifest. */
const RETRY_MS = 500;
const FSYNC_BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1, 4];

/** Sizes of the journal unless stated. */
export const JOURNAL_SIZE: JournalSize = { parts: 4, partBytes: 32 * MiB };

/** What a disk store is opened with. */
export interface DiskBackupStoreOptions {
  /** Made if it is not there. One process at a time. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly journal?: JournalSize;
  readonly logger?: Logger;
  readonly meter?: Meter;
}

export class DiskBackupStore implements BackupStore {
  readonly damage: readonly DamageReport[];
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #lock: FolderLock;
  readonly #storeId: Uint8Array;
  readonly #ledger: CopyLedger;
  readonly #files: SegmentFiles;
  readonly #journal: Journal;
  readonly #meters: StoreMeters;
  #catalogue: Catalogue | null;
  #round: number;
  #record: RoundRecord | null = null;
  /** What becomes of the bytes and files of the staged round once it is durable. */
  #behind: (() => void)[] = [];
  #freed: SegmentFileId[] = [];
  #checkpoint: Promise<NiobeError | null> | null = null;
  /** Why bytes could not be written behind the journal, and when that is tried again. */
  #stuck: { readonly error: NiobeError; readonly untilMs: number } | null = null;
  #isSyncing = false;
  #failure: NiobeError | null = null;

  private constructor(options: DiskBackupStoreOptions, lock: FolderLock, state: StoreState, journal: Journal) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
    this.#lock = lock;
    this.#storeId = state.storeId;
    this.#ledger = state.ledger;
    this.#files = state.files;
    this.#catalogue = state.catalogue;
    this.#round = state.round;
    this.damage = state.damage;
    this.#journal = journal;
    this.#meters = metersOf(options.meter ?? silentMeter, this.#files, journal);
  }

  /**
   * Opens a folder, recovering what a crash left. `BAD_CONFIG`: not ours or not writable; `DISK_FULL`; `INCOMPATIBLE`: of another
   * format; `DAMAGED`: nothing of it can be used. Reads the journal whole.
   */
  static async open(options: DiskBackupStoreOptions): Promise<DiskBackupStore> {
    const { folder, random, journal: size = JOURNAL_SIZE } = options;
    let lock: FolderLock | null = null;
    try {
      const made = await mkdir(join(folder, 'segments'), { recursive: true });
      if (made !== undefined) await syncFolder(dirname(made));
      lock = await FolderLock.take(folder);
      const state = await openState(folder, random);
      return new DiskBackupStore(options, lock, state, await Journal.open(folder, size));
    } catch (error) {
      await lock?.release();
      throw diskError(error, `opening the backup folder ${folder}`);
    }
  }

  holding(partition: number): CopyHolding {
    return this.#ledger.holding(partition);
  }

  partitions(): readonly number[] {
    return this.#ledger.partitions();
  }

  catalogue(): Catalogue | null {
    return this.#catalogue;
  }

  async prepare(bytes: number, changes: number): Promise<void> {
    assert(this.#record === null, 'one round at a time');
    if (this.#failure !== null) throw this.#failure;
    if (changes === 0) return;
    const roomBytes = recordBytes(bytes, changes);
    while (!this.#journal.hasRoom(roomBytes)) throwIf(await this.#startCheckpoint());
    while (this.#files.waitingBytes > WRITE_BEHIND_BYTES_MAX) throwIf(await this.#flush());
    this.#record = new RoundRecord(bytes, changes);
  }

  stage(partition: number, attempt: Attempt, change: Change): Verdict {
    const { verdict, effect } = this.#ledger.judge(partition, attempt, change);
    if (effect === null) return verdict;
    const payload = this.#recordToStage().addChange(partition, attempt, effect);
    if (effect.kind === 'append' || effect.kind === 'repair') {
      const id = { partition, segment: effect.segment, epoch: effect.segmentEpoch };
      if (payload.length > 0) this.#behind.push(() => this.#files.add(id, effect.offset, payload));
    } else if (effect.kind === 'free')
      this.#behind.push(() => this.#free({ partition, segment: effect.segment, epoch: effect.segmentEpoch }));
    this.#ledger.apply(partition, attempt, effect);
    return verdict;
  }

  stageCatalogue(catalogue: Catalogue): boolean {
    if (this.#catalogue !== null && this.#catalogue.revision > catalogue.revision) return false;
    const bytes = this.#recordToStage().addCatalogue(catalogue.revision, catalogue.bytes);
    this.#catalogue = { revision: catalogue.revision, bytes: bytes.slice() };
    return true;
  }

  #recordToStage(): RoundRecord {
    assert(this.#record !== null && !this.#isSyncing, 'a round is prepared before changes are staged');
    return this.#record;
  }

  #free(id: SegmentFileId): void {
    this.#files.forget(id);
    this.#freed.push(id);
  }

  async sync(): Promise<void> {
    const record = this.#record;
    if (record === null) return;
    if (!record.isEmpty) await this.#writeRound(record);
    this.#record = null;
    for (const act of this.#behind) act();
    this.#behind = [];
    this.#workBehind();
  }

  async #writeRound(record: RoundRecord): Promise<void> {
    const round = this.#round + 1;
    const bytes = record.finish(this.#storeId, round);
    const startMs = this.#clock.monotonicMs();
    this.#isSyncing = true;
    try {
      await this.#journal.write(bytes, round);
    } catch (error) {
      this.#failure = new NiobeError(
        'UNAVAILABLE',
        `the journal in ${this.#folder} cannot be written: ${messageOf(error)}`,
        {},
        error,
      );
      throw this.#failure;
    }
    this.#isSyncing = false;
    this.#round = round;
    this.#meters.fsync.observe((this.#clock.monotonicMs() - startMs) / 1000);
    this.#meters.rounds.add(1);
    this.#meters.bytes.add(bytes.length);
  }

  /** Begins what is due behind a round. */
  #workBehind(): void {
    if (this.#journal.leftRound > 0) void this.#startCheckpoint();
    else if (this.#files.waitingBytes > FLUSH_BYTES) void this.#flush();
  }

  /** Writes what waits for segment files. Gives the error that kept it from its end. */
  async #flush(): Promise<NiobeError | null> {
    if (this.#isStuck) return this.#stuck!.error;
    try {
      await this.#files.flush();
      return null;
    } catch (error) {
      return this.#stick(error);
    }
  }

  get #isStuck(): boolean {
    return this.#stuck !== null && this.#clock.monotonicMs() < this.#stuck.untilMs;
  }

  #stick(cause: unknown): NiobeError {
    const error = diskError(cause, `writing segments in ${this.#folder}`);
    this.#stuck = { error, untilMs: this.#clock.monotonicMs() + RETRY_MS };
    this.#logger.error({ code: error.code, error: error.message }, 'segments cannot be written; tried again later');
    return error;
  }

  /** A checkpoint of what is durable now, or the one under way. Gives the error that kept it from its end. */
  #startCheckpoint(): Promise<NiobeError | null> {
    if (this.#checkpoint === null && this.#isStuck) return Promise.resolve(this.#stuck!.error);
    this.#checkpoint ??= this.#makeCheckpoint().finally(() => (this.#checkpoint = null));
    return this.#checkpoint;
  }

  async #makeCheckpoint(): Promise<NiobeError | null> {
    const round = this.#round;
    const manifest = this.#encodeManifest();
    const freed = this.#freed;
    this.#freed = [];
    try {
      await this.#files.flush();
      await this.#files.sync();
      await writeManifest(this.#folder, manifest);
      this.#journal.release(round);
      for (const id of freed) await this.#removeFreed(id);
      this.#meters.checkpoints.add(1);
      return null;
    } catch (error) {
      this.#freed.push(...freed);
      return this.#stick(error);
    }
  }

  #encodeManifest(): Uint8Array {
    const copies = this.#ledger.partitions().map((partition) => this.#ledger.holding(partition));
    return encodeManifest({ storeId: this.#storeId, round: this.#round, catalogue: this.#catalogue, copies });
  }

  /** The segment may have been held again since. */
  async #removeFreed(id: SegmentFileId): Promise<void> {
    if (this.#ledger.segment(id.partition, id.segment)?.epoch !== id.epoch) await this.#files.remove(id);
  }

  async read(
    partition: number,
    segment: number,
    segmentEpoch: number,
    offset: number,
    bytes: number,
  ): Promise<Uint8Array> {
    const held = this.#ledger.segment(partition, segment);
    if (held?.epoch !== segmentEpoch)
      throw new NiobeError(
        'NOT_FOUND',
        `segment ${segment} of epoch ${segmentEpoch} of partition ${partition} is not held`,
      );
    const wanted = Math.max(0, Math.min(bytes, held.heldBytes - offset));
    try {
      return await this.#files.read({ partition, segment, epoch: segmentEpoch }, offset, wanted);
    } catch (error) {
      throw diskError(error, `reading ${segmentFileName({ partition, segment, epoch: segmentEpoch })}`);
    }
  }

  report(): BackupStoreReport {
    return this.#ledger.report();
  }

  /** Ends with a checkpoint, so that the next opening has nothing to do again. */
  async close(): Promise<void> {
    await this.#checkpoint;
    if (this.#failure === null) await this.#makeCheckpoint();
    await this.#files.close();
    await this.#journal.close();
    await this.#lock.release();
  }
}

function throwIf(error: NiobeError | null): void {
  if (error !== null) throw error;
}

interface StoreMeters {
  readonly rounds: Counter;
  readonly bytes: Counter;
  readonly checkpoints: Counter;
  readonly fsync: Histogram;
}

function metersOf(meter: Meter, files: SegmentFiles, journal: Journal): StoreMeters {
  meter.gauge('write_behind_bytes', 'Bytes that wait for their segment files.', () => files.waitingBytes);
  meter.gauge('write_behind_limit_bytes', 'Above it rounds wait.', () => WRITE_BEHIND_BYTES_MAX);
  meter.gauge('journal_used_parts', 'Journal parts that hold rounds.', () => journal.usedParts);
  return {
    rounds: meter.counter('rounds_total', 'Rounds made durable: one write and one fdatasync each.'),
    bytes: meter.counter('journal_bytes_total', 'Bytes written to the journal.'),
    checkpoints: meter.counter('checkpoints_total', 'Times that journal parts were emptied into segment files.'),
    fsync: meter.histogram('round_sync_seconds', 'Time of the write and fdatasync of a round.', FSYNC_BUCKETS_SECONDS),
  };
}
