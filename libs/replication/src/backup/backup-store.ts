/**
 * What a backup server keeps: for each partition one copy of its log, and beside them the catalogue of the deployment.
 *
 * 1. Changes are *staged* and become durable together in the next {@link BackupStore.sync}, a *round*. Nobody is told of a change
 *    before its round is durable.
 * 2. Every change belongs to an attempt (epoch, owner). A copy obeys the attempt it promised, and promises to higher epochs only.
 * 3. A copy is a set of segments, each a beginning of the segment that its primary wrote. `committedBytes` of it end with a whole
 *    batch; what is damaged below is damage, what does not check above is a tail that was cut off by a crash.
 * 4. A copy with `completeEpoch` e holds everything that was ever acknowledged as durable, and nothing that recovery e dropped.
 *    One with 0 was never finished, or lost something: it is of no use alone.
 */

/** Who writes a partition: the epoch and, as nobody else may use it, its owner `node@incarnation`. */
export interface Attempt {
  readonly epoch: number;
  readonly owner: string;
}

/** True if both are the same epoch of the same owner. */
export function sameAttempt(a: Attempt | null, b: Attempt | null): boolean {
  return a !== null && b !== null && a.epoch === b.epoch && a.owner === b.owner;
}

/** One change of a copy. Offsets and lengths are bytes of the segment; `segmentEpoch` is the epoch that opened it. */
export type Change =
  | { readonly kind: 'register' }
  | {
      readonly kind: 'append';
      readonly segment: number;
      readonly segmentEpoch: number;
      readonly offset: number;
      /** Up to here the segment is whole batches once the bytes are in; 0 = not known by this piece. */
      readonly committedBytes: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'repair';
      readonly segment: number;
      readonly segmentEpoch: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly segment: number; readonly segmentEpoch: number; readonly length: number }
  | { readonly kind: 'free'; readonly segment: number; readonly segmentEpoch: number }
  | { readonly kind: 'complete'; readonly completeEpoch: number };

/** What a copy says to a change. */
export type Verdict =
  | { readonly kind: 'OK' }
  /** The change does not follow on what is held; this is how much of the segment is. Nothing was changed. */
  | { readonly kind: 'GAP'; readonly heldBytes: number }
  /** The copy promised itself to another attempt, or to none. Nothing was changed. */
  | { readonly kind: 'FENCED'; readonly promised: Attempt | null };

/** The verdict of a change that was staged, or that was there already. */
export const OK: Verdict = { kind: 'OK' };

/** A segment of a copy. */
export interface SegmentHolding {
  readonly segment: number;
  readonly epoch: number;
  /** Bytes held. */
  readonly heldBytes: number;
  /** Of them, bytes that end with a whole batch. */
  readonly committedBytes: number;
}

/** A copy of a partition, as an inventory tells it. */
export interface CopyHolding {
  readonly partition: number;
  readonly promised: Attempt | null;
  readonly completeEpoch: number;
  /** By rising segment number. */
  readonly segments: readonly SegmentHolding[];
}

/** Facts and schemas of the deployment, so that a lost NATS store can be rebuilt. A lower revision never replaces a higher one. */
export interface Catalogue {
  readonly revision: number;
  /** JSON; not looked at here. */
  readonly bytes: Uint8Array;
}

/** Something on disk that did not match its checksum when the store was opened. */
export interface DamageReport {
  readonly file: string;
  readonly fileOffset: number;
  /** Where known. */
  readonly partition: number | null;
  readonly segment: number | null;
  readonly offset: number | null;
  readonly message: string;
}

/** Sizes for readiness and metrics. */
export interface BackupStoreReport {
  readonly partitions: number;
  readonly segments: number;
  readonly heldBytes: number;
}

/** The state of a backup server. Twin: {@link MemoryBackupStore}; real: `@niobe/disk`. One caller, one round at a time. */
export interface BackupStore {
  /** What was damaged when the store was opened. */
  readonly damage: readonly DamageReport[];
  /** The copy of a partition, staged changes included; an empty one where nothing is held. O(segments). */
  holding(partition: number): CopyHolding;
  /** Partitions of which anything is known, rising. */
  partitions(): readonly number[];
  catalogue(): Catalogue | null;
  /**
   * Waits until a round of up to `changes` changes with `bytes` of payload together has room. `DISK_FULL`: it has none, nothing was
   * changed, try again later. After it, staging and {@link sync} fail for nothing but a broken disk.
   */
  prepare(bytes: number, changes: number): Promise<void>;
  /** Checks a change against the copy and stages it. The bytes may be reused when this returns. */
  stage(partition: number, attempt: Attempt, change: Change): Verdict;
  /** Stages a catalogue; false if a higher revision is held. The bytes may be reused when this returns. */
  stageCatalogue(catalogue: Catalogue): boolean;
  /** Makes what was staged durable: one write and one fdatasync. `UNAVAILABLE`: the disk failed, and the store is of no more use. */
  sync(): Promise<void>;
  /**
   * Up to `bytes` bytes of a segment from `offset`; fewer where less is held or can be read. `NOT_FOUND` unless the segment of that
   * epoch is held. The bytes are the caller's. They are not verified: they carry the checksums of their batches.
   */
  read(partition: number, segment: number, segmentEpoch: number, offset: number, bytes: number): Promise<Uint8Array>;
  report(): BackupStoreReport;
  /** Ends; what was synced stays. */
  close(): Promise<void>;
}
