import type { Clock, Counter } from '@niobe/kernel';
import { ArenaCleaner, type Arena, type PartitionStore } from '@niobe/store';
import { CLEANER_HARD_SLICE_MS, CLEANER_IDLE_MS, CLEANER_SLICE_MS } from './limits.ts';

/** From this pressure on the cleaner takes longer slices: writers would soon get `STORE_FULL`. */
const HARD_PRESSURE = 0.5;

/** The cleaner's share of the thread: a slice between requests while there is something to gain, else a look now and then. */
export class Cleaning {
  readonly #arena: Arena;
  readonly #stores: () => Iterable<PartitionStore>;
  readonly #cleaner: ArenaCleaner;
  readonly #clock: Clock;
  readonly #moved: Counter;
  #movedBytes = 0;
  #nextLookMs = 0;

  /** @param moved counts the bytes of live entries that were moved. */
  constructor(arena: Arena, stores: () => Iterable<PartitionStore>, clock: Clock, moved: Counter) {
    this.#arena = arena;
    this.#stores = stores;
    this.#cleaner = new ArenaCleaner(stores);
    this.#clock = clock;
    this.#moved = moved;
  }

  /** One slice. True if there may be more to do at once. */
  slice(): boolean {
    const { pressure } = this.#arena;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextLookMs && pressure < HARD_PRESSURE) return false;
    const isBusy = this.#cleaner.clean(pressure < HARD_PRESSURE ? CLEANER_SLICE_MS : CLEANER_HARD_SLICE_MS);
    if (isBusy) this.#count();
    else this.#nextLookMs = nowMs + CLEANER_IDLE_MS;
    return isBusy;
  }

  #count(): void {
    let movedBytes = 0;
    for (const store of this.#stores()) movedBytes += store.movedBytes;
    this.#moved.add(Math.max(0, movedBytes - this.#movedBytes));
    this.#movedBytes = movedBytes;
  }
}
