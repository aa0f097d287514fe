import type { Arena } from './arena.ts';
import { DOUBLE_ZERO } from './double-zero.ts';
import { WORD_BYTES } from './entry.ts';

/**
 * `open`: bytes are appended. `sealed`: no more are. `retired`: nothing in it is live; the memory is kept until it is released.
 */
export type SegmentState = 'open' | 'sealed' | 'retired';

/** A part of the arena that one partition appends to. */
export class Segment {
  readonly number: number;
  readonly arena: Arena;
  /** First byte in the arena's memory. */
  readonly startByte: number;
  /** Whole grains: a power of two of them at first, fewer once it was trimmed. */
  capacityBytes: number;
  /** Epoch and high bits of seq of the entries that do not say their own; see entry.ts. */
  readonly versionWord: number;
  state: SegmentState = 'open';
  /** Bytes up to the last commit. */
  committedBytes = 0;
  /** Bytes of the entries that are the latest of their slot or schema. */
  liveBytes = 0;
  /** No live cell in here expires before this Unix second; Infinity where none does. */
  earliestExpiryS: number = Infinity;
  /** The cleaner filled this segment as far as its entries went. */
  tailIsLost = false;
  /** Seq of the last commit in here. */
  lastCommitSeq = 0;
  /** When it was opened, as `Arena.clockBytes`. */
  openedAtBytes: number = DOUBLE_ZERO;
  /** The cleaner found no room for what lives in here while no more memory than this was free. */
  stuckAtFreeBytes = -1;
  /** A larger segment is wanted where this one lies: it is to be emptied whatever lives in it. */
  isInTheWay = false;
  /** Moments of its partition's snapshots; see snapshot/pins.ts. */
  openedAt = 0;
  retiredAt = 0;

  constructor(arena: Arena, number: number, startByte: number, capacityBytes: number, versionWord: number) {
    this.arena = arena;
    this.number = number;
    this.startByte = startByte;
    this.capacityBytes = capacityBytes;
    this.versionWord = versionWord;
  }

  get roomBytes(): number {
    return this.capacityBytes - this.committedBytes;
  }

  /**
   * Share of the segment that cleaning would free. What the cleaner itself left over at the end of a segment is not counted, unless that
   * is most of it: else it would move large cells from one such segment to the next for ever.
   */
  get deadShare(): number {
    const countsTail = !this.tailIsLost || this.committedBytes < this.capacityBytes / 2;
    return ((countsTail ? this.capacityBytes : this.committedBytes) - this.liveBytes) / this.capacityBytes;
  }

  /** Address of the first entry. */
  get startAddress(): number {
    return this.startByte / WORD_BYTES;
  }

  /** Address behind the last committed entry. */
  get endAddress(): number {
    return (this.startByte + this.committedBytes) / WORD_BYTES;
  }

  /** The committed bytes, shared with the arena: never changing, but gone once the segment is released. */
  view(): Uint8Array {
    return this.arena.bytes.subarray(this.startByte, this.startByte + this.committedBytes);
  }
}

/** One segment as those who ship it see it. */
export interface SegmentInfo {
  readonly segment: number;
  /** Committed bytes. */
  readonly bytes: number;
  readonly sealed: boolean;
  /** Empty, waiting for `release`. */
  readonly retired: boolean;
  readonly liveBytes: number;
  /** Seq of the last commit in it. */
  readonly commitSeq: number;
}

/** What others may know of a segment. */
export function segmentInfo(segment: Segment): SegmentInfo {
  return {
    segment: segment.number,
    bytes: segment.committedBytes,
    sealed: segment.state !== 'open',
    retired: segment.state === 'retired',
    liveBytes: segment.liveBytes,
    commitSeq: segment.lastCommitSeq,
  };
}
