import { NiobeError } from '@niobe/kernel';
import type { Arena } from './arena.ts';
import { slotAt } from './entry.ts';
import { SEGMENT_BYTES_MIN, SEGMENT_FORMAT } from './limits.ts';
import { powerOfTwoFrom, type Log } from './log.ts';
import { damaged } from './recovery-errors.ts';
import { formatOf } from './segment-format.ts';
import type { Segment } from './segment.ts';
import { baseOf, validPrefix } from './valid-prefix.ts';

/** A segment as a copy has it. */
export interface RecoveredSegment {
  readonly segment: number;
  readonly bytes: Uint8Array;
  /** So much of it was confirmed as durable: what does not check below is damage, above it is a torn tail. */
  readonly durableBytes: number;
}

/** What all copies of one segment gave. */
export interface TakenSegment {
  readonly number: number;
  /** Where the valid bytes lie in the arena; null while no copy had any. */
  segment: Segment | null;
  /** Of the copy that had most. */
  validBytes: number;
  /** The most that any copy was confirmed to have. */
  durableBytes: number;
  /** Length of the longest copy. */
  heldBytes: number;
}

/**
 * The segments of a log as they come in: in any order, some more than once, from several copies.
 *
 * Of each the longest valid prefix is kept in the arena. Copies of one segment are beginnings of the same bytes, because one owner wrote
 * it, so two that differ where both check are damage, whichever came first. Bytes that were durable in one copy and do not check there
 * may still come with another, hence damage is looked for in {@link adopt}, at the end.
 */
export class RecoveredCopies {
  readonly #arena: Arena;
  readonly #log: Log;
  readonly #taken = new Map<number, TakenSegment>();
  /** Copies beyond the first of each segment. */
  repeated = 0;

  constructor(arena: Arena, log: Log) {
    this.#arena = arena;
    this.#log = log;
  }

  /** In the order in which they came. */
  get segments(): readonly TakenSegment[] {
    return [...this.#taken.values()];
  }

  /** Takes one copy of a segment. `DAMAGED`, `INCOMPATIBLE` or `STORE_FULL`; then {@link abandon} is to be called. */
  take({ segment: number, bytes, durableBytes }: RecoveredSegment): void {
    this.#log.passNumber(number);
    const { validBytes } = validPrefix(bytes);
    if (validBytes === 0) this.#refuseOtherFormat(number, bytes);
    if (validBytes > this.#arena.blockBytes) throw damaged(this.#log.partition, number, 0, 'it is longer than a block');
    const taken = this.#takenOf(number);
    taken.durableBytes = Math.max(taken.durableBytes, durableBytes);
    taken.heldBytes = Math.max(taken.heldBytes, bytes.length);
    this.#compare(taken, bytes, Math.min(taken.validBytes, validBytes));
    if (validBytes > taken.validBytes) this.#keep(taken, bytes, validBytes);
  }

  #takenOf(number: number): TakenSegment {
    const before = this.#taken.get(number);
    if (before !== undefined) {
      this.repeated += 1;
      return before;
    }
    const taken = { number, segment: null, validBytes: 0, durableBytes: 0, heldBytes: 0 };
    this.#taken.set(number, taken);
    return taken;
  }

  /** Segments of other formats are told by name; their bytes would otherwise look like damage. */
  #refuseOtherFormat(number: number, bytes: Uint8Array): void {
    const format = formatOf(bytes);
    if (format === null || format === SEGMENT_FORMAT) return;
    const { partition } = this.#log;
    const remedy = format < SEGMENT_FORMAT ? 'the version that wrote it' : 'a newer version';
    throw new NiobeError(
      'INCOMPATIBLE',
      `partition ${partition}, segment ${number} is of format ${format}; this version reads ${SEGMENT_FORMAT}: open it with ${remedy}`,
      { partition, segment: number, format },
    );
  }

  #compare({ number, segment }: TakenSegment, bytes: Uint8Array, upTo: number): void {
    if (segment === null) return;
    const mine = this.#arena.bytes;
    for (let at = 0; at < upTo; at++) {
      if (mine[segment.startByte + at] === bytes[at]) continue;
      throw damaged(this.#log.partition, number, at, 'two copies of it differ here, and both check');
    }
  }

  /** Keeps a copy that is longer than what there was. */
  #keep(taken: TakenSegment, bytes: Uint8Array, validBytes: number): void {
    if (taken.segment === null || validBytes > taken.segment.capacityBytes) this.#reopen(taken, bytes, validBytes);
    const segment = taken.segment!;
    this.#arena.bytes.set(bytes.subarray(0, validBytes), segment.startByte);
    taken.validBytes = validBytes;
    this.#checkStart(segment);
  }

  #reopen(taken: TakenSegment, bytes: Uint8Array, validBytes: number): void {
    if (taken.segment !== null) this.#arena.free(taken.segment);
    const capacityBytes = Math.max(SEGMENT_BYTES_MIN, powerOfTwoFrom(validBytes));
    taken.segment = this.#arena.open(taken.number, capacityBytes, 'clean', baseOf(bytes));
    if (taken.segment !== null) return;
    throw new NiobeError(
      'STORE_FULL',
      `partition ${this.#log.partition} does not fit the store: segment ${taken.number} found no room`,
    );
  }

  /** The first entry says which segment of which partition this is. */
  #checkStart(segment: Segment): void {
    const { words } = this.#arena;
    const at = segment.startAddress;
    const [number, partition] = [slotAt(words, at), words[at + 3]];
    if (number === segment.number && partition === this.#log.partition) return;
    const what = `its start names segment ${number} of partition ${partition}`;
    throw damaged(this.#log.partition, segment.number, 0, what);
  }

  /** Throws `DAMAGED` where no copy has what was durable in one. */
  requireDurable(): void {
    for (const { number, validBytes, durableBytes } of this.#taken.values())
      if (validBytes < durableBytes)
        throw damaged(this.#log.partition, number, validBytes, `${durableBytes} bytes were durable`);
  }

  /** Makes the segments those of the log, sealed; each as long as its valid bytes. */
  adopt(): void {
    for (const taken of this.#taken.values()) {
      const { segment, validBytes } = taken;
      if (segment === null) continue;
      if (validBytes === 0) this.#arena.free(segment);
      segment.committedBytes = validBytes;
      if (validBytes > 0) this.#log.adopt(segment);
    }
    this.#taken.clear();
  }

  /** Frees what was not adopted. */
  abandon(): void {
    for (const { segment } of this.#taken.values()) if (segment !== null) this.#arena.free(segment);
    this.#taken.clear();
  }
}
