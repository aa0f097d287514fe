import type { Clock, Counter } from '@niobe/kernel';
import { ArenaCleaner, type Arena, type PartitionStore } from '@niobe/store';
import { CLEANER_HARD_SLICE_MS, CLEANER_IDLE_MS, CLEANER_SLICE_MS } from './limits.ts';

/** What is counted of the cleaner's work: it and the writers share the thread and the log. */
export interface CleaningCounters {
  /** Bytes that writers appended. */
  readonly writtenBytes: Counter;
  /** Bytes of live entries that were moved. */
  readonly cleanedBytes: Counter;
  readonly cleanerSeconds: Counter;
}

/** The cleaner's share of the thread: a slice between requests while there is something to gain, longer as memory gets scarce. */
export class Cleaning {
  readonly #arena: Arena;
  readonly #stores: () => Iterable<PartitionStore>;
  readonly #cleaner: ArenaCleaner;
  readonly #clock: Clock;
  readonly #counters: CleaningCounters;
  #movedBytes = 0;
  #writtenBytes = 0;
  #nextLookMs = 0;

  constructor(arena: Arena, stores: () => Iterable<PartitionStore>, clock: Clock, counters: CleaningCounters) {
    this.#arena = arena;
    this.#stores = stores;
    this.#cleaner = new ArenaCleaner(stores, clock);
    this.#clock = clock;
    this.#counters = counters;
  }

  /** One slice. True if there may be more to do at once. */
  slice(): boolean {
    const { pressure } = this.#arena;
    const startMs = this.#clock.monotonicMs();
    if (startMs < this.#nextLookMs && pressure === 0) return false;
    const isBusy = this.#cleaner.clean(CLEANER_SLICE_MS + (CLEANER_HARD_SLICE_MS - CLEANER_SLICE_MS) * pressure);
    const nowMs = this.#clock.monotonicMs();
    this.#counters.cleanerSeconds.add((nowMs - startMs) / 1000);
    this.#count();
    if (!isBusy) this.#nextLookMs = nowMs + CLEANER_IDLE_MS;
    return isBusy;
  }

  /** A partition that left takes its sums along, which is no work undone. */
  #count(): void {
    let movedBytes = 0;
    let writtenBytes = 0;
    for (const store of this.#stores()) {
      movedBytes += store.counts.movedBytes;
      writtenBytes += store.counts.writtenBytes;
    }
    this.#counters.cleanedBytes.add(Math.max(0, movedBytes - this.#movedBytes));
    this.#counters.writtenBytes.add(Math.max(0, writtenBytes - this.#writtenBytes));
    this.#movedBytes = movedBytes;
    this.#writtenBytes = writtenBytes;
  }
}
