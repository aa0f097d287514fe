import type { Cleaner } from './cleaner.ts';
import type { Parts } from './parts.ts';

/** Figures of one partition, as they are when asked. All but {@link indexBytes} in O(1). Adding 0 makes a plain 0 of `DOUBLE_ZERO`. */
export class StoreCounts {
  readonly #parts: Parts;
  readonly #cleaner: Cleaner;

  constructor(parts: Parts, cleaner: Cleaner) {
    this.#parts = parts;
    this.#cleaner = cleaner;
  }

  /** Bytes of the key index, which lies outside the arena. O(tables). */
  get indexBytes(): number {
    return this.#parts.index.memoryBytes;
  }

  /** Slots that were ever used; four bytes each, outside the arena. */
  get slots(): number {
    return this.#parts.slots.used;
  }

  /** Bytes that writers appended to the log, commits included. */
  get writtenBytes(): number {
    return this.#parts.log.writtenBytes + 0;
  }

  /** Bytes of live entries the cleaner moved. With {@link writtenBytes} it gives the write cost, `(written + moved) / written`. */
  get movedBytes(): number {
    return this.#cleaner.movedBytes + 0;
  }

  /** Segments the cleaner emptied. */
  get emptiedSegments(): number {
    return this.#cleaner.emptiedSegments;
  }

  /** Expired cells the cleaner turned into tombstones. */
  get expiredCells(): number {
    return this.#cleaner.expiredCells;
  }
}
