import { NiobeError } from '@niobe/kernel';
import {
  type Attempt,
  type BackupStore,
  type BackupStoreReport,
  type Catalogue,
  type Change,
  type CopyHolding,
  type DamageReport,
  type Verdict,
} from './backup-store.ts';
import { CopyLedger } from './copy-ledger.ts';

const SMALLEST_BYTES = 4096;

/** The twin of the disk store: what is staged is held at once, and lasts as long as this object. For tests and embedded runs. */
export class MemoryBackupStore implements BackupStore {
  readonly damage: readonly DamageReport[] = [];
  readonly #ledger = new CopyLedger();
  readonly #bytes = new Map<string, Uint8Array>();
  #catalogue: Catalogue | null = null;

  holding(partition: number): CopyHolding {
    return this.#ledger.holding(partition);
  }

  partitions(): readonly number[] {
    return this.#ledger.partitions();
  }

  catalogue(): Catalogue | null {
    return this.#catalogue;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  stage(partition: number, attempt: Attempt, change: Change): Verdict {
    const { verdict, effect } = this.#ledger.judge(partition, attempt, change);
    if (effect === null) return verdict;
    this.#ledger.apply(partition, attempt, effect);
    if (effect.kind === 'append' || effect.kind === 'repair')
      this.#write(keyOf(partition, effect.segment, effect.segmentEpoch), effect.offset, effect.bytes);
    else if (effect.kind === 'free') this.#bytes.delete(keyOf(partition, effect.segment, effect.segmentEpoch));
    return verdict;
  }

  #write(key: string, offset: number, bytes: Uint8Array): void {
    let held = this.#bytes.get(key) ?? new Uint8Array(SMALLEST_BYTES);
    if (offset + bytes.length > held.length) {
      const grown = new Uint8Array(Math.max(offset + bytes.length, held.length * 2));
      grown.set(held);
      held = grown;
    }
    held.set(bytes, offset);
    this.#bytes.set(key, held);
  }

  stageCatalogue(catalogue: Catalogue): boolean {
    if (this.#catalogue !== null && this.#catalogue.revision > catalogue.revision) return false;
    this.#catalogue = { revision: catalogue.revision, bytes: catalogue.bytes.slice() };
    return true;
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  read(partition: number, segment: number, segmentEpoch: number, offset: number, bytes: number): Promise<Uint8Array> {
    const held = this.#ledger.segment(partition, segment);
    if (held === null || held.epoch !== segmentEpoch)
      return Promise.reject(
        new NiobeError(
          'NOT_FOUND',
          `segment ${segment} of epoch ${segmentEpoch} of partition ${partition} is not held`,
        ),
      );
    const all = this.#bytes.get(keyOf(partition, segment, segmentEpoch));
    return Promise.resolve(all?.slice(offset, Math.min(held.heldBytes, offset + bytes)) ?? new Uint8Array(0));
  }

  report(): BackupStoreReport {
    return this.#ledger.report();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function keyOf(partition: number, segment: number, segmentEpoch: number): string {
  return `${partition}/${segment}/${segmentEpoch}`;
}
