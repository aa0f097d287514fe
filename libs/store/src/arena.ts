import { assert, NiobeError } from '@niobe/kernel';
import { BuddyAllocator } from './buddy.ts';
import { COMMIT_BYTES, GRAIN_SHIFT, START_BYTES, WORD_BYTES, type EntryMemory } from './entry.ts';
import { BATCH_BYTES_MAX, BLOCK_BYTES, RESERVE_BLOCKS, RESERVE_SHARE, SEGMENT_BYTES_MIN } from './limits.ts';
import { Segment } from './segment.ts';

/**
 * The process's fixed block of shared memory, from which all its partitions take segments.
 *
 * 1. Memory is one `SharedArrayBuffer`: first a staging region in which the open batch is put together, then blocks. It never grows; the
 *    OS commits pages as they are touched.
 * 2. Blocks are split into segments by the buddy system. A map by grain leads from an address to its segment.
 * 3. The last part is a reserve. Writers may not go below it, deletes may use half of it, the cleaner all of it: so memory can be made
 *    free when there is none. The cleaner opens a segment only to empty another at least as large, so what it takes comes back.
 * 4. Retired segments are neither free nor needed. They count as memory that is on its way, so that the cleaner does not work harder
 *    while backups are slow to confirm.
 */
export class Arena implements EntryMemory {
  /** The whole memory: staging region and blocks. Addresses count from its start. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** By grain: what the entries of its segment do not say themselves; see entry.ts. Shared, as the memory is. */
  readonly bases: Uint32Array;
  /** Bytes of all blocks. */
  readonly capacityBytes: number;
  readonly blockBytes: number;
  readonly reserveBytes: number;
  readonly #buddy: BuddyAllocator;
  readonly #byGrain: (Segment | null)[];
  #retiredBytes = 0;
  #stagingTaken = false;

  /** Throws `BAD_CONFIG` where the sizes do not fit each other. */
  constructor(options: ArenaOptions) {
    const blockBytes = options.blockBytes ?? BLOCK_BYTES;
    checkSizes(options.bytes, blockBytes);
    const blocks = Math.floor(options.bytes / blockBytes);
    this.blockBytes = blockBytes;
    this.capacityBytes = blocks * blockBytes;
    const reserveBytes = (options.reserveBlocks ?? RESERVE_BLOCKS) * blockBytes;
    const leastBytes = Math.min(reserveBytes, blockBytes);
    this.reserveBytes = Math.max(leastBytes, Math.min(reserveBytes, this.capacityBytes * RESERVE_SHARE));
    const memory = new SharedArrayBuffer(STAGING_REGION_BYTES + this.capacityBytes);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    const grains = memory.byteLength / SEGMENT_BYTES_MIN;
    this.bases = new Uint32Array(new SharedArrayBuffer(grains * Uint32Array.BYTES_PER_ELEMENT));
    this.#buddy = new BuddyAllocator(blocks, Math.log2(blockBytes / SEGMENT_BYTES_MIN));
    this.#byGrain = Array.from({ length: this.capacityBytes / SEGMENT_BYTES_MIN }, () => null);
  }

  get freeBytes(): number {
    return this.#buddy.freeGrains * SEGMENT_BYTES_MIN;
  }

  /** Bytes of segments that are empty and wait for their release. */
  get retiredBytes(): number {
    return this.#retiredBytes;
  }

  /**
   * How scarce memory is: 0 while a quarter of it is free or on its way, 1 where hardly more than the reserve is. The cleaner works
   * harder as it rises.
   */
  get pressure(): number {
    const usable = this.capacityBytes - this.reserveBytes;
    const available = this.freeBytes + this.#retiredBytes - this.reserveBytes;
    const scarcity = (usable * COMFORT_SHARE - available) / (usable * (COMFORT_SHARE - SCARCE_SHARE));
    return Math.min(1, Math.max(0, scarcity));
  }

  /** The segment an address lies in. The address must be one of a live entry. O(1). */
  segmentOf(address: number): Segment {
    return this.#byGrain[(address >>> GRAIN_SHIFT) - STAGING_GRAINS]!;
  }

  /**
   * A segment of `capacityBytes`, a power of two, or null where `purpose` may not have it.
   *
   * @param versionWord epoch and high bits of seq of its entries; see entry.ts
   */
  open(number: number, capacityBytes: number, purpose: Purpose, versionWord: number): Segment | null {
    if (this.freeBytes - capacityBytes < this.reserveBytes * RESERVE_KEPT[purpose]) return null;
    const grain = this.#buddy.take(orderOf(capacityBytes));
    if (grain < 0) return null;
    const startByte = STAGING_REGION_BYTES + grain * SEGMENT_BYTES_MIN;
    const segment = new Segment(this, number, startByte, capacityBytes, versionWord);
    const end = grain + capacityBytes / SEGMENT_BYTES_MIN;
    this.#byGrain.fill(segment, grain, end);
    this.bases.fill(versionWord, STAGING_GRAINS + grain, STAGING_GRAINS + end);
    return segment;
  }

  /** Counts a segment as on its way to be free. */
  retire(segment: Segment): void {
    assert(
      segment.liveBytes === 0 && segment.state === 'sealed',
      'only a sealed segment without live bytes is retired',
    );
    segment.state = 'retired';
    this.#retiredBytes += segment.capacityBytes;
  }

  /** Makes a segment's memory free for others. */
  free(segment: Segment): void {
    const grain = (segment.startByte - STAGING_REGION_BYTES) / SEGMENT_BYTES_MIN;
    assert(this.#byGrain[grain] === segment, 'a segment is freed once');
    if (segment.state === 'retired') this.#retiredBytes -= segment.capacityBytes;
    this.#byGrain.fill(null, grain, grain + segment.capacityBytes / SEGMENT_BYTES_MIN);
    this.#buddy.give(grain, orderOf(segment.capacityBytes));
  }

  /**
   * Takes the staging region for one batch. There is one, because one thread writes one batch at a time.
   *
   * @param versionWord as in {@link open}
   */
  takeStaging(versionWord: number): void {
    assert(!this.#stagingTaken, 'one batch is open at a time in an arena');
    this.#stagingTaken = true;
    if (this.bases[0] !== versionWord) this.bases.fill(versionWord, 0, STAGING_GRAINS);
  }

  giveStaging(): void {
    this.#stagingTaken = false;
  }

  /** Where the arena's bytes are. O(segments); asserts that nothing is missing. */
  report(): ArenaReport {
    const segments = new Set(this.#byGrain.filter((segment) => segment !== null));
    let live = 0;
    let used = 0;
    for (const segment of segments) {
      assert(
        segment.liveBytes >= 0 && segment.liveBytes <= segment.committedBytes,
        'live bytes lie in what is committed',
      );
      live += segment.liveBytes;
      used += segment.capacityBytes;
    }
    assert(used + this.freeBytes === this.capacityBytes, 'live + dead + free = arena');
    return {
      bytes: this.capacityBytes,
      live,
      dead: used - live,
      free: this.freeBytes,
      reserve: this.reserveBytes,
      retired: this.#retiredBytes,
      segments: segments.size,
    };
  }
}

/** Sizes of an arena. */
export interface ArenaOptions {
  /** Memory for segments; rounded down to whole blocks. The staging region, a batch's worth, comes on top. */
  readonly bytes: number;
  /** Largest segment, a power of two; at least twice {@link BATCH_BYTES_MAX} so that any batch fits. Default 8 MiB. */
  readonly blockBytes?: number;
  /** Blocks kept for the cleaner; default 2, but no more than a sixteenth of the arena (at least one block). */
  readonly reserveBlocks?: number;
}

/** Where an arena's bytes are: `live + dead + free = bytes`. `retired` is a part of `dead`, `reserve` one of `free`. */
export interface ArenaReport {
  readonly bytes: number;
  readonly live: number;
  readonly dead: number;
  readonly free: number;
  readonly reserve: number;
  readonly retired: number;
  readonly segments: number;
}

/** Who asks for memory. */
export type Purpose = 'write' | 'delete' | 'clean';

/** Share of the reserve that must stay free after an allocation. */
const RESERVE_KEPT: Readonly<Record<Purpose, number>> = { write: 1, delete: 0.5, clean: 0 };
/** While this share of the usable memory is available there is no pressure. */
const COMFORT_SHARE = 1 / 4;
/** From here down pressure is full. */
const SCARCE_SHARE = 1 / 32;

/** One unit before the staged entries, so that no entry has address 0; then a batch; rounded up to whole grains. */
export const STAGING_ADDRESS = 1;
/** Bytes that staged entries may take; start and commit are written in the segment. */
export const STAGED_BYTES_MAX: number = BATCH_BYTES_MAX - START_BYTES - COMMIT_BYTES;
const STAGING_REGION_BYTES = BATCH_BYTES_MAX + SEGMENT_BYTES_MIN;
const STAGING_GRAINS = STAGING_REGION_BYTES / SEGMENT_BYTES_MIN;
const BLOCKS_ADDRESS = STAGING_REGION_BYTES / WORD_BYTES;

/** True for addresses of the open batch. */
export function isStaged(address: number): boolean {
  return address < BLOCKS_ADDRESS;
}

function orderOf(capacityBytes: number): number {
  const order = Math.log2(capacityBytes / SEGMENT_BYTES_MIN);
  assert(Number.isInteger(order) && order >= 0, 'segments are powers of two of the smallest');
  return order;
}

function checkSizes(bytes: number, blockBytes: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(blockBytes));
  if (!isPowerOfTwo || blockBytes < 2 * BATCH_BYTES_MAX) {
    throw new NiobeError(
      'BAD_CONFIG',
      `a block of ${blockBytes} bytes; use a power of two of at least ${2 * BATCH_BYTES_MAX}`,
    );
  }
  if (!Number.isSafeInteger(bytes) || bytes < blockBytes * BLOCKS_MIN) {
    throw new NiobeError('BAD_CONFIG', `a store of ${bytes} bytes; it needs at least ${blockBytes * BLOCKS_MIN}`);
  }
}

/** One for the reserve and one to write to. */
const BLOCKS_MIN = 2;
