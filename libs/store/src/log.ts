import { assert, crc32, NiobeError, type Clock } from '@niobe/kernel';
import { isStaged, STAGING_ADDRESS, type Arena, type Purpose } from './arena.ts';
import { DOUBLE_ZERO } from './double-zero.ts';
import {
  COMMIT_BODY_BYTES,
  COMMIT_BYTES,
  COMMIT_CRC_AT,
  HEADER_BYTES,
  KIND,
  START_BYTES,
  versionWordOf,
  WORD_BYTES,
  writeHeader,
  writeStart,
} from './entry.ts';
import type { StoreEvents } from './events.ts';
import {
  BATCH_ENTRIES_MAX,
  HEAD_SHARE,
  SEGMENT_BYTES_MIN,
  SEGMENT_FORMAT,
  SEGMENT_SHARE,
  SEQ_LIMIT,
  STORE_FULL_RETRY_MS,
} from './limits.ts';
import type { Segment } from './segment.ts';
import type { Pins } from './snapshot/pins.ts';

/** Which of the two open segments a batch goes to: writes to the head, what the cleaner moves to the survivor. */
export type Lane = (typeof LANES)[number];
export const LANES = ['head', 'survivor'] as const;

/** What the log needs to know of its partition. */
export interface LogOptions {
  readonly arena: Arena;
  readonly partition: number;
  readonly epoch: number;
  readonly firstSegment: number;
  readonly clock: Clock;
  readonly events: StoreEvents;
  readonly pins: Pins;
}

/**
 * A partition's segments, and how batches get into them.
 *
 * 1. A batch is put together in the staging region. Written, it is copied behind what its segment holds, followed by a commit whose
 *    CRC covers both. Only then does `committedBytes` move: bytes of half a batch are never seen or shipped.
 * 2. A batch never spans segments. Where it does not fit, the segment is sealed and another is opened that holds it.
 * 3. Writes and survivors go to segments of their own, so that cells that live long do not lie between those that change.
 */
export class Log {
  readonly arena: Arena;
  readonly partition: number;
  readonly epoch: number;
  readonly #clock: Clock;
  readonly #events: StoreEvents;
  readonly #pins: Pins;
  readonly #segments = new Map<number, Segment>();
  readonly #open: Record<Lane, Segment | null> = { head: null, survivor: null };
  #nextSegment: number;
  /** Seq of the last entry written. */
  lastSeq = 0;
  lastCommitSeq = 0;
  lastCommitEpoch = 0;
  /** Bytes that writers appended, commits included. */
  writtenBytes: number = DOUBLE_ZERO;

  constructor(options: LogOptions) {
    this.arena = options.arena;
    this.partition = options.partition;
    this.epoch = options.epoch;
    this.#nextSegment = options.firstSegment;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#pins = options.pins;
  }

  /** All segments that have memory, retired ones included, in order of their numbers except where recovery gave another. */
  segments(): IterableIterator<Segment> {
    return this.#segments.values();
  }

  segment(number: number): Segment | undefined {
    return this.#segments.get(number);
  }

  /** Epoch and high bits of seq of what is written now; an open segment takes entries only while it is its own. */
  get versionWord(): number {
    return versionWordOf(this.epoch, this.lastSeq);
  }

  /** Passes over the seqs up to the next multiple of 2^32 where the next batch could reach it: its entries then share {@link versionWord}. */
  alignSeq(): void {
    const next = (Math.floor(this.lastSeq / TWO_32) + 1) * TWO_32;
    if (this.lastSeq + BATCH_ENTRIES_MAX >= next) this.lastSeq = next;
  }

  /** The open segment of a lane, if any. */
  openSegment(lane: Lane): Segment | null {
    return this.#open[lane];
  }

  /**
   * A segment with room for `stagedBytes` and their commit; seals and opens where needed. Throws `STORE_FULL` and changes nothing.
   *
   * @param mostBytes no larger segment is opened unless the batch needs it.
   */
  makeRoom(lane: Lane, stagedBytes: number, purpose: Purpose, mostBytes: number = Infinity): Segment {
    const open = this.#open[lane];
    const isFitting = open !== null && open.versionWord === this.versionWord;
    if (isFitting && overheadOf(open) + stagedBytes <= open.roomBytes) return open;
    const segment = this.#openSegment(stagedBytes + START_BYTES + COMMIT_BYTES, purpose, mostBytes);
    if (open !== null) this.seal(lane);
    segment.tailIsLost = lane === 'survivor';
    if (purpose === 'clean') this.arena.lend(segment.capacityBytes);
    segment.openedAt = this.#pins.now;
    this.#open[lane] = segment;
    this.#segments.set(segment.number, segment);
    this.#nextSegment += 1;
    this.#events.opened(segment.number);
    return segment;
  }

  /**
   * The largest segment that can be had of those that are neither too small for the batch nor larger than is fitting. Snapshots give way
   * where there is none.
   */
  #openSegment(neededBytes: number, purpose: Purpose, mostBytes: number): Segment {
    const least = Math.max(SEGMENT_BYTES_MIN, powerOfTwoFrom(neededBytes));
    do {
      for (
        let bytes = Math.max(least, Math.min(powerOfTwoTo(mostBytes), this.#fittingBytes()));
        bytes >= least;
        bytes /= 2
      ) {
        const segment = this.arena.open(this.#nextSegment, bytes, purpose, this.versionWord);
        if (segment !== null) return segment;
      }
    } while (this.arena.snapshots.giveSegments());
    this.arena.want(least, purpose);
    throw new NiobeError(
      'STORE_FULL',
      `partition ${this.partition} found no segment of ${least} bytes; delete cells, give the store more memory, or wait for the cleaner`,
      { partition: this.partition, retryAfterMs: STORE_FULL_RETRY_MS },
    );
  }

  /** A share of what lives in the partition, so that the heads of many take little; a share of the arena, for the heads of few. */
  #fittingBytes(): number {
    const { blockBytes, capacityBytes } = this.arena;
    const share = powerOfTwoTo(Math.min(this.liveBytes() * HEAD_SHARE, capacityBytes * SEGMENT_SHARE));
    return Math.min(blockBytes, Math.max(SEGMENT_BYTES_MIN, share));
  }

  /** Seals the open segment of a lane. */
  seal(lane: Lane): void {
    const segment = this.#open[lane];
    assert(segment !== null, 'a segment is open');
    segment.state = 'sealed';
    this.arena.trim(segment);
    this.#open[lane] = null;
    this.#events.sealed(segment.number);
  }

  /**
   * Copies the staged bytes to a segment with room for them and ends them with a commit. Returns by how many units each staged entry
   * moved. {@link announce} is to be called once the slots point to the new places.
   */
  write(segment: Segment, stagedBytes: number): number {
    const entriesAt = entriesStart(segment);
    const stagedAt = STAGING_ADDRESS * WORD_BYTES;
    this.arena.bytes.copyWithin(entriesAt, stagedAt, stagedAt + stagedBytes);
    this.endBatch(segment, stagedBytes);
    return (entriesAt - stagedAt) / WORD_BYTES;
  }

  /** Ends the entries that lie at {@link entriesStart} with a commit, as {@link write} does. */
  endBatch(segment: Segment, entriesBytes: number): void {
    const { bytes, words } = this.arena;
    const batchStart = segment.startByte + segment.committedBytes;
    if (segment.committedBytes === 0) this.#writeStart(segment);
    const commitAt = entriesStart(segment) + entriesBytes;
    this.lastSeq += 1;
    assert(this.lastSeq < SEQ_LIMIT, 'a partition does not outlive its sequence numbers');
    const commit = commitAt / WORD_BYTES;
    writeHeader(words, commit, KIND.commit, 0, 0, 0, 0, COMMIT_BODY_BYTES, this.lastSeq, 0);
    TIME[0] = this.#clock.nowMs();
    words.set(TIME_WORDS, commit + HEADER_BYTES / WORD_BYTES);
    words[commit + HEADER_BYTES / WORD_BYTES + 2] = commitAt - batchStart;
    words[commit + COMMIT_CRC_AT / WORD_BYTES] = crc32(bytes.subarray(batchStart, commitAt + COMMIT_CRC_AT));
  }

  #writeStart(segment: Segment): void {
    const openedS = Math.floor(this.#clock.nowMs() / 1000);
    const { number, startAddress, versionWord } = segment;
    writeStart(this.arena.words, startAddress, SEGMENT_FORMAT, number, this.partition, versionWord, openedS);
  }

  /** Makes the batch that was just written a part of the segment and tells of it. */
  announce(segment: Segment, stagedBytes: number): void {
    const start = segment.committedBytes;
    segment.committedBytes += stagedBytes + overheadOf(segment);
    segment.lastCommitSeq = this.lastSeq;
    this.lastCommitSeq = this.lastSeq;
    this.lastCommitEpoch = this.epoch;
    if (segment === this.#open.head) this.writtenBytes += segment.committedBytes - start;
    this.#events.appended(segment.number, start, segment.committedBytes, this.lastSeq);
  }

  /** Takes a recovered segment in: sealed, its bytes are in the arena. */
  adopt(segment: Segment): void {
    segment.state = 'sealed';
    this.arena.trim(segment);
    this.#segments.set(segment.number, segment);
    this.passNumber(segment.number);
  }

  /** Makes sure that no new segment gets this number or one below. */
  passNumber(number: number): void {
    this.#nextSegment = Math.max(this.#nextSegment, number + 1);
  }

  /** Declares that nothing of a sealed segment is live. */
  retire(segment: Segment): void {
    this.arena.retire(segment);
    segment.retiredAt = this.#pins.now;
    this.#events.retired(segment.number, this.lastCommitSeq);
  }

  /** Frees the memory of a retired segment, at once or when no snapshot sees it any more. */
  release(segment: Segment): void {
    assert(segment.state === 'retired', 'only a retired segment is released');
    this.#segments.delete(segment.number);
    this.#pins.dropSegment(segment);
  }

  /** Frees all memory. The log is not to be used afterwards. */
  close(): void {
    for (const segment of this.#segments.values()) this.arena.free(segment);
    this.#segments.clear();
    this.#open.head = null;
    this.#open.survivor = null;
  }

  /** Bytes of all live entries. O(segments). */
  liveBytes(): number {
    let live = 0;
    for (const segment of this.#segments.values()) live += segment.liveBytes;
    return live;
  }

  /** Counts `bytes` as no longer live where the entry at `address` lies. A staged entry was never counted. */
  bury(address: number, bytes: number): void {
    if (address !== 0 && !isStaged(address)) this.arena.segmentOf(address).liveBytes -= bytes;
  }
}

const TWO_32 = 0x1_0000_0000;
/** A time as the words of its double, which may lie at any word. */
const TIME = new Float64Array(1);
const TIME_WORDS: Uint32Array = new Uint32Array(TIME.buffer);

/** Where the entries of a segment's next batch begin, in bytes. */
export function entriesStart(segment: Segment): number {
  return segment.startByte + segment.committedBytes + (segment.committedBytes === 0 ? START_BYTES : 0);
}

/** Bytes a batch needs in a segment beside its entries. */
export function overheadOf(segment: Segment): number {
  return segment.committedBytes === 0 ? START_BYTES + COMMIT_BYTES : COMMIT_BYTES;
}

/** The largest power of two that is at most `bytes`. */
function powerOfTwoTo(bytes: number): number {
  return bytes < 1 ? 0 : 2 ** Math.floor(Math.log2(bytes));
}

/** The smallest power of two that is at least `bytes`. */
export function powerOfTwoFrom(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}
