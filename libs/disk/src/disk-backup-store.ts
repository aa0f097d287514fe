import { mkdir, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { assert, isNiobeError, messageOf, NiobeError, type Counter, type Meter } from '@niobe/kernel';
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
import { saveCheckpoint } from './checkpoint.ts';
import { diskError, diskFull } from './disk-errors.ts';
import { syncFolder } from './durable-files.ts';
import { FolderLock } from './folder-lock.ts';
import { logRecovery, makeFolders, recoverFolder, type RecoveredFolder, type StoreFolders } from './folder-recovery.ts';
import { Journal } from './journal.ts';
import { CONTROL_ROUND_BYTES } from './limits.ts';
import { RoundBuffer, roundBytesMax, RoundWriter } from './round-buffer.ts';
import { SegmentFiles } from './segment-files.ts';
import type { SegmentName } from './segment-name.ts';
import { withDefaults, type DiskBackupStoreOptions, type StoreOptions } from './store-options.ts';
import { WriteBehind, type FileChange } from './write-behind.ts';

/**
 * The backup store on disk.
 *
 * 1. A round is made in a buffer (round-buffer.ts), goes to the journal with one write and one fdatasync (journal.ts), and is then
 *    durable. Its bytes stay in the buffer until they are in segment files (write-behind.ts): when the buffer is full the other one
 *    is used, and the changes of this one are written, many rounds in one write. A read first writes what its segment lacks.
 * 2. When a journal part is full, a checkpoint makes the segment files durable, then the manifest (manifest.ts); then the part may
 *    be reused. Closing is a checkpoint too, so afterwards manifest and segment files are all there is.
 * 3. Opening replays the journal behind the last checkpoint, and ends with a checkpoint (folder-recovery.ts).
 * 4. A write or a sync that fails ends the store: every later round is refused at its sync. Its folder is right up to the last
 *    round that was synced, and is opened anew by the next process. Only a full disk is not the end: nothing is taken until it has room.
 */

interface StagedFileChange {
  readonly name: SegmentName;
  readonly change: FileChange;
}

/** A {@link BackupStore} whose rounds survive kill -9 and power loss. */
export class DiskBackupStore implements BackupStore {
  readonly damage: readonly DamageReport[];
  readonly #options: StoreOptions;
  readonly #lock: FolderLock;
  readonly #files: SegmentFiles;
  readonly #writeBehind: WriteBehind;
  readonly #ledger: CopyLedger;
  readonly #identity: Uint8Array;
  readonly #root: string;
  readonly #journal: Journal;
  readonly #counters: StoreCounters;
  #catalogue: Catalogue | null;
  #generation: number;
  #nextRound: number;
  #buffer: RoundBuffer;
  #otherBuffer: RoundBuffer;
  #round: RoundWriter | null = null;
  #staged: StagedFileChange[] = [];
  #checkpointing: Promise<void> | null = null;
  /** Whether the disk was last seen without room; at the start nobody has looked. */
  #isFull = true;
  #failure: unknown = null;
  #isClosed = false;

  /**
   * Opens a folder, replaying its journal. `BAD_CONFIG`: another process has it. `DISK_FULL`, `UNAVAILABLE`: the disk.
   * `INCOMPATIBLE`: another version wrote it. O(bytes of the journal + segments).
   */
  static async open(options: DiskBackupStoreOptions): Promise<DiskBackupStore> {
    const complete = withDefaults(options);
    await makeRoot(complete.folder);
    const lock = await FolderLock.take(complete.folder);
    if (lock.tookOverFrom !== null)
      complete.logger.warn({ pid: lock.tookOverFrom }, 'took over the folder of a process that has ended');
    try {
      return await DiskBackupStore.#recover(complete, lock);
    } catch (error) {
      await lock.release();
      throw diskError(error, `opening ${complete.folder}`);
    }
  }

  static async #recover(options: StoreOptions, lock: FolderLock): Promise<DiskBackupStore> {
    const folders = await makeFolders(options.folder);
    let store: DiskBackupStore | null = null;
    const files = new SegmentFiles({
      folder: folders.segments,
      openFilesMax: options.openFilesMax,
      onSyncFailure(error) {
        if (store !== null) store.#fail(error);
      },
    });
    try {
      store = new DiskBackupStore(await openParts(options, lock, folders, files));
      return store;
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  private constructor(parts: StoreParts) {
    const { options, state } = parts;
    this.damage = state.damage.reports();
    this.#options = options;
    this.#lock = parts.lock;
    this.#root = parts.root;
    this.#files = parts.files;
    this.#writeBehind = parts.writeBehind;
    this.#journal = parts.journal;
    this.#ledger = state.ledger;
    this.#identity = state.identity;
    this.#catalogue = state.catalogue;
    this.#generation = parts.generation;
    this.#nextRound = state.nextRound;
    this.#buffer = new RoundBuffer(new Uint8Array(options.roundBufferBytes));
    this.#otherBuffer = new RoundBuffer(new Uint8Array(options.roundBufferBytes));
    this.#counters = this.#countersOf(options.meter);
  }

  #countersOf(meter: Meter): StoreCounters {
    const { roundBufferBytes, partsMax, partBytes } = this.#options;
    meter.gauge('unwritten_bytes', 'Bytes in the journal only.', () => this.#writeBehind.waitingBytes);
    meter.gauge('unwritten_limit_bytes', 'Bytes that may be in the journal only.', () => 2 * roundBufferBytes);
    meter.gauge('journal_bytes', 'Journal parts in use.', () => this.#journal.usedBytes);
    meter.gauge('journal_limit_bytes', 'Journal parts that there may be.', () => partsMax * partBytes);
    meter.gauge('open_files', 'Segment files that are open.', () => this.#files.openFiles);
    return {
      rounds: meter.counter('rounds_total', 'Rounds made durable.'),
      roundBytes: meter.counter('journal_written_bytes_total', 'Bytes written to the journal.'),
      checkpoints: meter.counter('checkpoints_total', 'Times that the segment files were made durable.'),
    };
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

  report(): BackupStoreReport {
    return this.#ledger.report();
  }

  /** A store that failed takes the round all the same and refuses it at its sync, where a caller expects a broken disk. */
  async prepare(bytes: number, changes: number): Promise<void> {
    this.#assertOpen();
    assert(this.#round === null || this.#round.isEmpty, 'a round is synced before the next is prepared');
    this.#round = null;
    const need = roundBytesMax(bytes, changes);
    if (need > this.#journal.roundBytesMax)
      throw new NiobeError('TOO_LARGE', `a round of ${need} bytes does not fit in a journal part`, {
        maxBytes: this.#journal.roundBytesMax,
      });
    if (this.#failure === null) await this.#makeRoom(need, bytes > CONTROL_ROUND_BYTES);
    if (this.#failure !== null) this.#buffer = new RoundBuffer(new Uint8Array(need));
    this.#round = new RoundWriter(this.#buffer, this.#nextRound, need);
  }

  async #makeRoom(need: number, takesSpace: boolean): Promise<void> {
    const isGrowing = !this.#buffer.hasRoom(need) || !this.#journal.hasRoom(need);
    if (takesSpace && (isGrowing || this.#isFull)) await this.#checkSpace();
    try {
      if (!this.#buffer.hasRoom(need)) await this.#swapBuffers(need);
      if (!this.#journal.hasRoom(need)) await this.#rotateJournal();
    } catch (error) {
      if (isNiobeError(error, 'DISK_FULL')) throw error;
      this.#fail(error);
    }
  }

  async #checkSpace(): Promise<void> {
    const { folder, freeBytesMin } = this.#options;
    const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
      throw diskError(error, `asking for the free space of ${folder}`);
    });
    const freeBytes = bavail * bsize;
    this.#isFull = freeBytes < freeBytesMin;
    if (this.#isFull) throw diskFull(`${folder} has ${freeBytes} bytes free; ${freeBytesMin} are kept`);
  }

  /** Waits for the segment files if they are slower than the journal: this is what bounds the memory. */
  async #swapBuffers(need: number): Promise<void> {
    if (this.#otherBuffer.unwritten > 0) await this.#writeBehind.drain();
    this.#otherBuffer.reset(need);
    [this.#buffer, this.#otherBuffer] = [this.#otherBuffer, this.#buffer];
    this.#inBackground(this.#writeBehind.drain());
  }

  async #rotateJournal(): Promise<void> {
    for (let checkpoints = 0; !(await this.#journal.rotate()); checkpoints++) {
      assert(checkpoints < 2, 'a checkpoint that covers all rounds makes a part spare');
      // The first may have begun before the part was full; the second covers it.
      await this.#checkpoint();
    }
    this.#inBackground(this.#checkpoint());
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (isNiobeError(error, 'DISK_FULL')) this.#isFull = true;
      else this.#fail(error);
    });
  }

  stage(partition: number, attempt: Attempt, change: Change): Verdict {
    this.#assertOpen();
    const { verdict, effect } = this.#ledger.judge(partition, attempt, change);
    if (effect === null) return verdict;
    const round = this.#preparedRound();
    this.#ledger.apply(partition, attempt, effect);
    const bytes = round.add(partition, attempt, effect);
    if ('segment' in effect) this.#stageFile(partition, effect, bytes, round.buffer);
    return verdict;
  }

  #stageFile(
    partition: number,
    effect: Extract<Change, { segment: number }>,
    bytes: Uint8Array,
    buffer: RoundBuffer,
  ): void {
    const name = { partition, segment: effect.segment, epoch: effect.segmentEpoch };
    if (effect.kind === 'free') this.#staged.push({ name, change: { kind: 'remove' } });
    else if (effect.kind === 'truncate')
      this.#staged.push({ name, change: { kind: 'truncate', length: effect.length } });
    else if (bytes.length > 0)
      this.#staged.push({ name, change: { kind: 'write', offset: effect.offset, bytes, buffer } });
  }

  stageCatalogue(catalogue: Catalogue): boolean {
    this.#assertOpen();
    if (this.#catalogue !== null && this.#catalogue.revision > catalogue.revision) return false;
    this.#preparedRound().addCatalogue(catalogue);
    this.#catalogue = { revision: catalogue.revision, bytes: catalogue.bytes.slice() };
    return true;
  }

  #preparedRound(): RoundWriter {
    assert(this.#round !== null, 'a round is prepared before anything is staged');
    return this.#round;
  }

  async sync(): Promise<void> {
    this.#assertOpen();
    const round = this.#round;
    this.#round = null;
    if (this.#failure !== null) throw this.#failure;
    if (round === null || round.isEmpty) return;
    const bytes = round.finish(this.#identity);
    try {
      await this.#journal.append(round.round, bytes);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#nextRound = round.round + 1;
    for (const { name, change } of this.#staged) this.#writeBehind.queue(name, change);
    this.#staged = [];
    this.#counters.rounds.add(1);
    this.#counters.roundBytes.add(bytes.length);
  }

  /** Bytes of rounds that are not synced yet are not there. `DISK_FULL`: what is held cannot be written to its file. */
  async read(
    partition: number,
    segment: number,
    segmentEpoch: number,
    offset: number,
    bytes: number,
  ): Promise<Uint8Array> {
    this.#assertOpen();
    const held = this.#ledger.segment(partition, segment);
    if (held === null || held.epoch !== segmentEpoch)
      throw new NiobeError(
        'NOT_FOUND',
        `segment ${segment} of epoch ${segmentEpoch} of partition ${partition} is not held`,
      );
    const name = { partition, segment, epoch: segmentEpoch };
    const wantedBytes = Math.min(bytes, held.heldBytes - offset);
    if (wantedBytes <= 0) return new Uint8Array(0);
    await this.#writeBehind.drainSegment(name);
    return this.#files.read(name, offset, wantedBytes);
  }

  /** One checkpoint at a time; a second caller gets the one that runs. Nothing may be staged when it begins. */
  #checkpoint(isClosed = false): Promise<void> {
    this.#checkpointing ??= this.#makeCheckpoint(isClosed).finally(() => {
      this.#checkpointing = null;
    });
    return this.#checkpointing;
  }

  async #makeCheckpoint(isClosed: boolean): Promise<void> {
    const nextRound = this.#nextRound;
    const generation = this.#generation + 1;
    await saveCheckpoint(this.#root, this.#files, this.#writeBehind, {
      identity: this.#identity,
      generation,
      nextRound,
      isClosed,
      catalogue: this.#catalogue,
      copies: copiesOf(this.#ledger),
    });
    this.#generation = generation;
    this.#journal.release(nextRound);
    this.#counters.checkpoints.add(1);
  }

  /** Ends the store for good, and says so once. */
  #fail(error: unknown): unknown {
    if (this.#failure !== null) return this.#failure;
    // A full disk where room had been made before is a broken promise of the disk, not a reason to try again.
    const isFull = isNiobeError(error, 'DISK_FULL');
    this.#failure = isFull ? new NiobeError('UNAVAILABLE', messageOf(error), {}, error) : error;
    this.#options.logger.error({ error: messageOf(error) }, 'the disk failed: nothing more is taken');
    return this.#failure;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new NiobeError('CLOSED', `the store in ${this.#options.folder} is closed`);
  }

  /** Brings everything into segment files. If the disk does not let it, the journal still has what was synced. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.sync();
      await this.#checkpointing?.catch(() => undefined);
      if (this.#failure === null) await this.#checkpoint(true);
    } catch (error) {
      this.#options.logger.error({ error: messageOf(error) }, 'closed without a checkpoint: the journal is replayed');
    }
    this.#isClosed = true;
    await this.#files.close();
    await this.#journal.close();
    await this.#lock.release();
  }
}

/** What a store is made of when its folder is open. */
interface StoreParts {
  readonly options: StoreOptions;
  readonly lock: FolderLock;
  readonly root: string;
  readonly files: SegmentFiles;
  readonly writeBehind: WriteBehind;
  readonly journal: Journal;
  readonly state: RecoveredFolder;
  readonly generation: number;
}

/** Recovers a folder and makes a checkpoint of it before the journal is used again. */
async function openParts(
  options: StoreOptions,
  lock: FolderLock,
  folders: StoreFolders,
  files: SegmentFiles,
): Promise<StoreParts> {
  const { partBytes, partsMax, logger } = options;
  const root = folders.root;
  const writeBehind = new WriteBehind(files);
  const state = await recoverFolder({ folders, partsMax, files, writeBehind });
  logRecovery(logger, state);
  const { identity, nextRound, catalogue, ledger } = state;
  const generation = state.generation + 1;
  const manifest = { identity, generation, nextRound, isClosed: false, catalogue, copies: copiesOf(ledger) };
  await saveCheckpoint(root, files, writeBehind, manifest);
  const journal = await Journal.open({ folder: folders.journal, identity, partBytes, partsMax });
  return { options, lock, root, files, writeBehind, journal, state, generation };
}

function copiesOf(ledger: CopyLedger): CopyHolding[] {
  return ledger.partitions().map((partition) => ledger.holding(partition));
}

interface StoreCounters {
  readonly rounds: Counter;
  readonly roundBytes: Counter;
  readonly checkpoints: Counter;
}

/** Creates the folder and those above it that are missing, so that they last. */
async function makeRoot(folder: string): Promise<void> {
  try {
    const created = await mkdir(folder, { recursive: true });
    if (created === undefined) return;
    for (let made = resolve(folder); made.length >= resolve(created).length; made = dirname(made))
      await syncFolder(dirname(made));
  } catch (error) {
    throw diskError(error, `creating ${folder}`);
  }
}
