import { assert, NiobeError } from '@niobe/kernel';
import { alignedParts, BuddyAllocator } from './buddy.ts';
import { cheapestStretch, Clearing } from './clearing.ts';
import { DOUBLE_ZERO } from './double-zero.ts';
import { COMMIT_BYTES, GRAIN_SHIFT, START_BYTES, WORD_BYTES, type EntryMemory } from './entry.ts';
import { BATCH_BYTES_MAX, BLOCK_BYTES, RESERVE_BLOCKS, RESERVE_SHARE, SEGMENT_BYTES_MIN } from './limits.ts';
import { indexPagesFor, LINE_FIRST_BYTE } from './key-tables.ts';
import { Segment } from './segment.ts';
import { pagesFor, PagePool } from './page-pool.ts';
import { OpenSnapshots, type SnapshotPolicy } from './snapshot/open-snapshots.ts';

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
  /** The pages of the slot tables of all partitions. */
  readonly slotPool: PagePool;
  /** The pages of the key indexes of all partitions. */
  readonly indexPool: PagePool;
  readonly snapshots: OpenSnapshots;
  readonly #buddy: BuddyAllocator;
  readonly #byGrain: (Segment | null)[];
  #retiredBytes = 0;
  #lentBytes = 0;
  /** Size of the largest segment that was not to be had, 0 where there is none; and what it was for. */
  #wantedBytes = 0;
  #wantedFor: Purpose = 'write';
  #clearing: Clearing | null = null;
  /** Bytes of the segments that writers ever took: the clock by which segments age. */
  clockBytes: number = DOUBLE_ZERO;
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
    this.slotPool = new PagePool(pagesFor(this.capacityBytes));
    this.indexPool = new PagePool(indexPagesFor(this.capacityBytes), LINE_FIRST_BYTE);
    this.snapshots = new OpenSnapshots(options.snapshots);
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
   * How scarce memory is: 0 while so much is free or on its way that nothing needs to be moved, 1 where there is no more than the reserve.
   * The cleaner works harder as it rises. What snapshots hold is not on its way: else nothing would be cleaned until they gave way.
   */
  get pressure(): number {
    const usableBytes = this.capacityBytes - this.reserveBytes;
    const comfortBytes = Math.max(usableBytes * COMFORT_SHARE, COMFORT_BYTES_MIN, this.#wantedBytes);
    const arrivingBytes = this.#retiredBytes - this.snapshots.heldBytes + this.#clearedBytes;
    const availableBytes = this.freeBytes + arrivingBytes - this.reserveBytes + this.lentBytes;
    return Math.min(1, Math.max(0, 1 - availableBytes / comfortBytes));
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
    if (this.freeBytes - capacityBytes < this.#keptBytes(purpose)) return null;
    const grain = this.#buddy.take(orderOf(capacityBytes));
    if (grain < 0) return null;
    if (capacityBytes >= this.#wantedBytes) this.#wantedBytes = 0;
    const startByte = STAGING_REGION_BYTES + grain * SEGMENT_BYTES_MIN;
    const segment = new Segment(this, number, startByte, capacityBytes, versionWord);
    if (purpose !== 'clean') this.clockBytes += capacityBytes;
    segment.openedAtBytes = this.clockBytes;
    const end = grain + capacityBytes / SEGMENT_BYTES_MIN;
    this.#byGrain.fill(segment, grain, end);
    this.bases.fill(versionWord, STAGING_GRAINS + grain, STAGING_GRAINS + end);
    return segment;
  }

  /** Bytes that must stay free after an allocation. */
  #keptBytes(purpose: Purpose): number {
    return Math.max(0, this.reserveBytes - this.lentBytes) * RESERVE_KEPT[purpose];
  }

  /**
   * Notes that no segment of this size was to be had. Where enough bytes are free, only not side by side, the stretch with least in it is
   * cleared; where they are not, pressure rises.
   */
  want(capacityBytes: number, purpose: Purpose): void {
    this.#wantedBytes = Math.max(this.#wantedBytes, capacityBytes);
    this.#wantedFor = purpose;
    if (this.#clearing?.isStuck(this.freeBytes) === true) this.#endClearing(this.#clearing);
    this.#clearIfFragmented();
  }

  #clearIfFragmented(): void {
    if (this.#wantedBytes === 0 || this.#clearing !== null) return;
    const order = orderOf(this.#wantedBytes);
    if (this.freeBytes - this.#wantedBytes < this.#keptBytes(this.#wantedFor) || this.#buddy.has(order)) return;
    const stretch = cheapestStretch(this.#byGrain, order, this.freeBytes);
    if (stretch !== null) this.#clearing = new Clearing(stretch, this.#buddy);
  }

  #endClearing(clearing: Clearing): void {
    clearing.end(this.#buddy);
    this.#clearing = null;
  }

  /** True while somebody was refused a segment that is still not there. */
  get isShort(): boolean {
    return this.#wantedBytes > 0;
  }

  /** Bytes that are free but kept for a larger segment. */
  get #clearedBytes(): number {
    return this.#clearing?.heldBytes ?? 0;
  }

  /** Notes that survivors took so much: it comes back with the segments that they empty. */
  lend(capacityBytes: number): void {
    this.#lentBytes += capacityBytes;
  }

  /** What survivors hold of the reserve now. Writers are not made to wait for it: the cleaner asked for no more than it will need. */
  get lentBytes(): number {
    return Math.min(this.#lentBytes, this.reserveBytes * LENT_SHARE);
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

  /** Frees what a segment has not begun to fill, in whole grains. */
  trim(segment: Segment): void {
    const grains = Math.max(1, Math.ceil(segment.committedBytes / SEGMENT_BYTES_MIN));
    const first = this.#grainOf(segment) + grains;
    const end = this.#grainOf(segment) + segment.capacityBytes / SEGMENT_BYTES_MIN;
    segment.capacityBytes = grains * SEGMENT_BYTES_MIN;
    this.#giveBack(first, end);
  }

  #grainOf(segment: Segment): number {
    return (segment.startByte - STAGING_REGION_BYTES) / SEGMENT_BYTES_MIN;
  }

  /** Makes grains free for others. */
  #giveBack(first: number, end: number): void {
    this.#byGrain.fill(null, first, end);
    for (const part of alignedParts(first, end))
      if (this.#clearing?.hold(part) !== true) this.#buddy.give(part.grain, part.order);
    if (this.#clearing?.isDone === true) this.#endClearing(this.#clearing);
    this.#clearIfFragmented();
  }

  /** Makes a segment's memory free for others. */
  free(segment: Segment): void {
    const grain = this.#grainOf(segment);
    assert(this.#byGrain[grain] === segment, 'a segment is freed once');
    if (segment.state === 'retired') {
      this.#retiredBytes -= segment.capacityBytes;
      this.#lentBytes = Math.max(0, this.#lentBytes - segment.capacityBytes);
    }
    this.#giveBack(grain, grain + segment.capacityBytes / SEGMENT_BYTES_MIN);
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
    const free = this.freeBytes + this.#clearedBytes;
    assert(used + free === this.capacityBytes, 'live + dead + free = arena');
    return {
      bytes: this.capacityBytes,
      live,
      dead: used - live,
      free,
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
  /** Limits of snapshots. */
  readonly snapshots?: Partial<SnapshotPolicy>;
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
/** Share of the reserve that survivors may hold without writers being asked to leave as much. */
const LENT_SHARE = 1 / 2;
/**
 * While this share of the usable memory is available there is no pressure. It is not used for anything else, and the fuller the store the
 * more that costs: at 90 % each hundredth kept free raises the bytes that are moved by a tenth.
 */
const COMFORT_SHARE = 1 / 128;
/** In a small arena the heads of some partitions. */
const COMFORT_BYTES_MIN = 4 * SEGMENT_BYTES_MIN;

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
