import { ManualClock, seededRandom, type Random } from '@niobe/kernel';
import { Arena, ArenaCleaner } from '@niobe/store';
import { BlobPartition, type Blob } from './blob-partition.ts';

/** What a trial has seen. */
export interface FullFindings {
  readonly rounds: number;
  readonly written: number;
  readonly deleted: number;
  readonly compared: number;
  readonly emptiedSegments: number;
}

/**
 * Partitions that share a small arena are filled until they refuse, again and again. While the store is full, cells are read and deleted,
 * in one of several patterns. Then the cleaner runs until it finds nothing, what was deleted must be to be written again, and every cell
 * must be what a `Map` says. Nothing is closed between the rounds: memory gets as fragmented as it can. What differs is thrown as an
 * error that says where; a seed repeats a trial.
 */
export class FullTrial {
  readonly #random: Random;
  readonly #partitions: BlobPartition[];
  readonly #cleaner: ArenaCleaner;
  readonly #sizes: readonly Sizes[];
  #nextKey = 0;
  #found = { rounds: 0, written: 0, deleted: 0, compared: 0 };

  /** @param fewCells leaves out the sizes of which hundreds of thousands fit */
  constructor(seed: number, partitions: number, fewCells: boolean = false) {
    this.#random = seededRandom(seed);
    this.#sizes = fewCells ? SIZES.slice(FEW_CELLS_FROM) : SIZES;
    const arena = new Arena({ bytes: ARENA_BYTES });
    // A clock that stands still: what a slice does is bounded by its bytes, the same in every run.
    const clock = new ManualClock();
    this.#partitions = Array.from({ length: partitions }, (_, partition) => new BlobPartition(arena, partition, clock));
    this.#cleaner = new ArenaCleaner(() => this.#partitions.map(({ store }) => store), clock);
  }

  get findings(): FullFindings {
    const emptiedSegments = this.#partitions.reduce((sum, { store }) => sum + store.counts.emptiedSegments, 0);
    return { ...this.#found, emptiedSegments };
  }

  /** Fills, reads, deletes, cleans, writes and compares once. */
  round(): void {
    const sizes = this.#pick(this.#sizes);
    const pattern = this.#pick(PATTERNS);
    this.#fill(sizes);
    for (const partition of this.#partitions) this.#compareSome(partition);
    const deletedBytes = this.#partitions.reduce((sum, partition) => sum + this.#delete(partition, pattern), 0);
    this.#cleanAll();
    this.#writeAgain(sizes, deletedBytes);
    for (const partition of this.#partitions) {
      this.#found.compared += partition.compareAll();
      partition.store.audit();
    }
    this.#found.rounds += 1;
  }

  /** Writes until nothing is taken though the cleaner has done what it can. Returns the bytes that were. */
  #fill(sizes: Sizes): number {
    let bytes = 0;
    for (let refusals = 0; refusals < REFUSALS;) {
      const taken = this.#putSome(sizes);
      bytes += taken;
      if (taken === 0) {
        refusals += 1;
        this.#cleanAll();
      } else if (this.#random.below(CLEANED_SHARE) === 0) {
        this.#clean();
      }
    }
    return bytes;
  }

  /** Puts new cells, and new values of old ones, as a batch. Returns their bytes, 0 where the store was full. */
  #putSome([least, most]: Sizes): number {
    const partition = this.#pick(this.#partitions);
    const cells = new Map<number, Blob>();
    const count = 1 + this.#random.below(Math.min(BATCH_CELLS_MAX, BATCH_BYTES_MAX / most));
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const isOld = partition.blobs.size > 0 && this.#random.below(OVERWRITTEN_SHARE) === 0;
      const blob = { seal: this.#random.u32(), bytes: least + this.#random.below(most - least) };
      cells.set(isOld ? partition.anyKey(this.#random) : this.#nextKey++, blob);
      bytes += blob.bytes + CELL_OVERHEAD_BYTES;
    }
    if (!partition.put(cells)) return 0;
    this.#found.written += cells.size;
    return bytes;
  }

  #compareSome(partition: BlobPartition): void {
    if (partition.blobs.size === 0) return;
    for (let i = 0; i < COMPARED_AT_FULL; i++) partition.compare(partition.anyKey(this.#random));
  }

  /** Deletes what the pattern says, in batches, and returns the bytes of it. A full store must take deletes once the cleaner was there. */
  #delete(partition: BlobPartition, pattern: Pattern): number {
    const keys = chosenKeys(partition.blobs, pattern, this.#random);
    let bytes = 0;
    for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
      const batch = keys.slice(at, at + DELETED_AT_ONCE);
      for (const key of batch) bytes += partition.blobs.get(key)!.bytes + CELL_OVERHEAD_BYTES - TOMBSTONE_BYTES;
      for (let refusals = 0; !partition.delete(batch); refusals++) {
        if (refusals === REFUSALS)
          throw new Error(`deletes are refused after ${at} of ${keys.length} cells (${pattern})`);
        this.#cleanAll();
      }
    }
    this.#found.deleted += keys.length;
    return bytes;
  }

  #writeAgain(sizes: Sizes, deletedBytes: number): void {
    const taken = this.#fill(sizes);
    if (taken >= deletedBytes * WRITTEN_AGAIN_SHARE - SLACK_BYTES) return;
    throw new Error(
      `${deletedBytes} bytes were deleted, and then no more than ${taken} written (${sizes.join(' to ')})`,
    );
  }

  #cleanAll(): void {
    for (let slices = 0; this.#clean(); slices++)
      if (slices === SLICES_MAX) throw new Error('the cleaner finds no end');
  }

  #clean(): boolean {
    const isBusy = this.#cleaner.clean(SLICE_MS);
    for (const partition of this.#partitions) partition.release();
    return isBusy;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)]!;
  }
}

type Sizes = (typeof SIZES)[number];
type Pattern = (typeof PATTERNS)[number];

function chosenKeys(blobs: ReadonlyMap<number, Blob>, pattern: Pattern, random: Random): number[] {
  const keys = [...blobs.keys()];
  const share = 1 / (1 + random.below(FEWEST_SHARE));
  const count = Math.ceil(keys.length * share);
  switch (pattern) {
    case 'random':
      return keys.filter(() => random.next() < share);
    case 'strided':
      return keys.filter((_, i) => i % Math.round(1 / share) === 0);
    case 'oldest':
      return keys.slice(0, count);
    case 'newest':
      return keys.slice(keys.length - count);
    case 'largest':
      return keys.toSorted((a, b) => blobs.get(b)!.bytes - blobs.get(a)!.bytes).slice(0, count);
    default:
      return keys;
  }
}

const PATTERNS = ['random', 'strided', 'oldest', 'newest', 'largest', 'all'] as const;
/** Bytes of the blobs of a round: at least, below. */
const SIZES: readonly (readonly [number, number])[] = [
  [0, 60],
  [20, 2_000],
  [500, 30_000],
  [10_000, 200_000],
  [0, 900_000],
];
const FEW_CELLS_FROM = 2;
const ARENA_BYTES: number = 24 * 1024 * 1024;
const BATCH_CELLS_MAX = 200;
const BATCH_BYTES_MAX = 2_000_000;
/** One write in so many has an old key. */
const OVERWRITTEN_SHARE = 8;
/** A round deletes at least one cell in so many. */
const FEWEST_SHARE = 8;
const DELETED_AT_ONCE = 500;
const COMPARED_AT_FULL = 50;
/** The owner cleans after one batch in so many. */
const CLEANED_SHARE = 2;
const SLICE_MS = 1;
/** More slices than 24 MiB can need. */
const SLICES_MAX = 100_000;
/** So often is asked again with the cleaner between. */
const REFUSALS = 3;
/** Header and key of a cell and its other fields. */
const CELL_OVERHEAD_BYTES = 40;
const TOMBSTONE_BYTES = 20;
/** What was deleted can be written again but for so much, which lies dead where it is not worth to be cleaned, or at ends of segments. */
const WRITTEN_AGAIN_SHARE = 1 / 2;
const SLACK_BYTES: number = 1024 * 1024;
