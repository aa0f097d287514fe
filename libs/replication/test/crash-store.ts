import { delay, type Clock, type Random } from '@niobe/kernel';
import type {
  Attempt,
  BackupStore,
  BackupStoreReport,
  Catalogue,
  Change,
  CopyHolding,
  DamageReport,
  Verdict,
} from '../src/backup/backup-store.ts';
import { MemoryBackupStore } from '../src/backup/memory-backup-store.ts';

interface Staged {
  readonly partition: number;
  readonly attempt: Attempt;
  readonly change: Change;
}

const SYNC_MS_MAX = 6;

/** A store in memory that takes its time to sync, and forgets in a crash what was not synced: a disk, as far as others see it. */
export class CrashStore implements BackupStore {
  readonly damage: readonly DamageReport[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #memory = new MemoryBackupStore();
  /** Everything that was synced, in order. */
  readonly #synced: Staged[] = [];
  #staged: Staged[] = [];
  #syncedCatalogue: Catalogue | null = null;
  /** What {@link prepare} throws, as long as it is set. */
  refusal: Error | null = null;
  syncs = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** What is left after a crash. */
  afterCrash(): CrashStore {
    const left = new CrashStore(this.#clock, this.#random);
    for (const change of this.#synced) left.#stage(change);
    left.#synced.push(...left.#staged.splice(0));
    if (this.#syncedCatalogue !== null) left.stageCatalogue(this.#syncedCatalogue);
    left.#syncedCatalogue = this.#syncedCatalogue;
    return left;
  }

  prepare(): Promise<void> {
    return this.refusal === null ? Promise.resolve() : Promise.reject(this.refusal);
  }

  stage(partition: number, attempt: Attempt, change: Change): Verdict {
    return this.#stage({
      partition,
      attempt,
      change: 'bytes' in change ? { ...change, bytes: change.bytes.slice() } : change,
    });
  }

  #stage(staged: Staged): Verdict {
    this.#staged.push(staged);
    return this.#memory.stage(staged.partition, staged.attempt, staged.change);
  }

  async sync(): Promise<void> {
    if (this.#staged.length === 0 && this.catalogue() === this.#syncedCatalogue) return;
    await delay(this.#clock, 1 + this.#random.below(SYNC_MS_MAX));
    this.#synced.push(...this.#staged.splice(0));
    this.#syncedCatalogue = this.catalogue();
    this.syncs += 1;
  }

  holding(partition: number): CopyHolding {
    return this.#memory.holding(partition);
  }

  partitions(): readonly number[] {
    return this.#memory.partitions();
  }

  catalogue(): Catalogue | null {
    return this.#memory.catalogue();
  }

  stageCatalogue(catalogue: Catalogue): boolean {
    return this.#memory.stageCatalogue(catalogue);
  }

  read(partition: number, segment: number, epoch: number, offset: number, bytes: number): Promise<Uint8Array> {
    return this.#memory.read(partition, segment, epoch, offset, bytes);
  }

  report(): BackupStoreReport {
    return this.#memory.report();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
