import type { NeighbourReader } from '@niobe/graph';
import { isNiobeError, type Clock } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import type { VertexSets } from '../sets/vertex-sets.ts';
import type { ReachedVertices } from './reached.ts';
import type { ReaderPool } from './reader-pool.ts';

/** What an {@link Expansion} works on. */
export interface ExpansionOptions {
  readonly reached: ReachedVertices;
  readonly sets: VertexSets;
  readonly readers: ReaderPool;
  readonly clock: Clock;
}

/**
 * Walks the neighbours of a range of reached vertices into the {@link VertexSets}, in slices. Nothing is allocated per vertex or edge.
 *
 * A slice may end within a list, and then the list may be written before the next slice. The walk goes on, because the chunks ahead are
 * rarely touched; where the reader stumbles over the change it begins that one list anew. What comes twice has no second effect.
 */
export class Expansion {
  readonly #reached: ReachedVertices;
  readonly #sets: VertexSets;
  readonly #readers: ReaderPool;
  readonly #clock: Clock;
  #schemaIds: readonly number[] = [];
  #index = 0;
  #end = 0;
  /** Which of the schemas is walked for the present vertex. */
  #schemaAt = 0;
  /** References of the present list that are still to come; {@link NOT_BEGUN}. */
  #left: number = NOT_BEGUN;
  /** While a slice is under way, and from one to the next within a list. */
  #reader: NeighbourReader | null = null;
  /** Commit that the store was at when the present list was first interrupted; -1 while it was not. */
  #seenSeq = -1;
  /** References since the last look at the time, and some for each list. */
  #work = 0;

  constructor({ reached, sets, readers, clock }: ExpansionOptions) {
    this.#reached = reached;
    this.#sets = sets;
    this.#readers = readers;
    this.#clock = clock;
  }

  /** Sets out for the vertices from one index to another. */
  begin(from: number, end: number, schemaIds: readonly number[]): void {
    this.#index = from;
    this.#end = end;
    this.#schemaIds = schemaIds;
    this.#schemaAt = 0;
    this.#left = NOT_BEGUN;
  }

  /** Goes on until it is through (true) or the time is up. `stores` has this shard's partitions by number. */
  run(stores: readonly (PartitionStore | null)[], endMs: number): boolean {
    this.#reader ??= this.#readers.take();
    const isThrough = this.#walk(this.#reader, stores, endMs);
    if (this.#left === NOT_BEGUN) this.end();
    return isThrough;
  }

  /** Gives back what it holds. */
  end(): void {
    if (this.#reader !== null) this.#readers.give(this.#reader);
    this.#reader = null;
  }

  #walk(reader: NeighbourReader, stores: readonly (PartitionStore | null)[], endMs: number): boolean {
    for (; this.#index < this.#end; this.#index++) {
      const store = stores[this.#reached.highs.at(this.#index) >>> 8]!;
      for (; this.#schemaAt < this.#schemaIds.length; this.#schemaAt++) {
        if (!this.#list(reader, store, endMs)) {
          if (this.#seenSeq < 0) this.#seenSeq = store.lastCommit().seq;
          return false;
        }
        this.#left = NOT_BEGUN;
      }
      this.#schemaAt = 0;
    }
    return true;
  }

  /** True if the present list is through. */
  #list(reader: NeighbourReader, store: PartitionStore, endMs: number): boolean {
    if (this.#isLate(endMs)) return false;
    if (this.#left === NOT_BEGUN) this.#beginList(reader, store);
    while (this.#left > 0) {
      if (this.#isLate(endMs)) return false;
      const count = this.#next(reader, store);
      this.#left -= count;
      this.#work += count;
      this.#leadTo(reader, count);
    }
    return true;
  }

  #beginList(reader: NeighbourReader, store: PartitionStore): void {
    const { slots, highs } = this.#reached;
    const schemaId = this.#schemaIds[this.#schemaAt]!;
    this.#left = reader.begin(store, schemaId, slots.at(this.#index), highs.at(this.#index));
    this.#seenSeq = -1;
    this.#work += WORK_PER_LIST;
  }

  /** The next references of the list; those of its beginning where it was rewritten since the last slice. */
  #next(reader: NeighbourReader, store: PartitionStore): number {
    try {
      return reader.next();
    } catch (error) {
      const isRewritten = this.#seenSeq >= 0 && this.#seenSeq !== store.lastCommit().seq;
      if (!isNiobeError(error, 'DAMAGED') || !isRewritten) throw error;
      this.#beginList(reader, store);
      return this.#left === 0 ? 0 : reader.next();
    }
  }

  #leadTo({ lows, highs }: NeighbourReader, count: number): void {
    const sets = this.#sets;
    const leader = this.#index + 1;
    for (let i = 0; i < count; i++) sets.of(highs[i]!)?.lead(lows[i]!, leader);
  }

  #isLate(endMs: number): boolean {
    if (this.#work < WORK_PER_LOOK) return false;
    this.#work = 0;
    return this.#clock.monotonicMs() >= endMs;
  }
}

const NOT_BEGUN = -1;
/** What finding a list costs, in references. */
const WORK_PER_LIST = 32;
/** Below 100 microseconds. */
const WORK_PER_LOOK = 8192;
