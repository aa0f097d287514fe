import { ByteWriter } from '@niobe/kernel';
import type { PartitionStore, RecoveredSegment, StoreEvents } from '@niobe/store';

const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;

/** A copy of a partition's log on another machine: gets what was appended, in order, when told to. */
export class LogCopy implements StoreEvents {
  /** The store whose log this is; set before anything is written. */
  store: PartitionStore | null = null;
  /** Seq of the last commit that arrived. */
  durableSeq = 0;
  readonly #copies = new Map<number, ByteWriter>();
  readonly #waiting: { readonly segment: number; readonly bytes: Uint8Array; readonly commitSeq: number }[] = [];
  readonly #retired: { readonly segment: number; readonly commitSeq: number }[] = [];

  appended(segment: number, start: number, end: number, commitSeq: number): void {
    this.#waiting.push({ segment, bytes: this.store!.segmentBytes(segment).slice(start, end), commitSeq });
  }

  opened(): void {}

  sealed(): void {}

  retired(segment: number, commitSeq: number): void {
    this.#retired.push({ segment, commitSeq });
  }

  /** Lets up to `count` appends arrive, then frees the segments whose survivors have. */
  ship(count: number = Infinity): void {
    for (const append of this.#waiting.splice(0, count)) {
      const copy = this.#copies.get(append.segment) ?? new ByteWriter(SEGMENT_BYTES_MAX, FIRST_BYTES);
      this.#copies.set(append.segment, copy);
      copy.raw(append.bytes);
      this.durableSeq = append.commitSeq;
    }
    while (this.#retired.length > 0 && this.#retired[0]!.commitSeq <= this.durableSeq) {
      const { segment } = this.#retired.shift()!;
      this.#copies.delete(segment);
      this.store!.release(segment);
    }
  }

  /** What a recovery would read. */
  segments(): RecoveredSegment[] {
    return [...this.#copies].map(([segment, copy]) => ({ segment, bytes: copy.finish(), durableBytes: copy.length }));
  }

  /** The owner died: what had not arrived is lost. */
  crash(): void {
    this.#waiting.length = 0;
    this.#retired.length = 0;
    this.store = null;
  }
}
