import type { Arena } from './arena.ts';
import { entryBytesAt, KIND, kindAt, seqAt, START_BYTES, WORD_BYTES } from './entry.ts';
import { BATCH_ENTRIES_MAX } from './limits.ts';
import type { TakenSegment } from './recovered-copies.ts';
import type { Segment } from './segment.ts';

/**
 * Cuts what follows a lost batch, so that a log never has a batch without the one before it.
 *
 * Bytes above the durable length of a copy arrive in any order: a batch may be torn while a later one, in another segment, is whole. Seqs
 * are given out without gaps, so from the last durable commit on every batch must begin where the one before it ended; the first that
 * does not, and all after it, are cut. Nobody was told that they are durable. Below the durable length gaps are what the cleaner freed.
 */
export function cutAfterGap(arena: Arena, taken: readonly TakenSegment[]): void {
  if (taken.every(({ validBytes, durableBytes }) => validBytes <= durableBytes)) return;
  const batches = taken.flatMap((one) => batchesOf(arena, one));
  let seq = Math.max(0, ...batches.filter(isDurable).map(({ commitSeq }) => commitSeq));
  if (seq === 0) return;
  const loose = batches.filter((batch) => !isDurable(batch) && batch.commitSeq > seq);
  loose.sort((a, b) => a.commitSeq - b.commitSeq);
  const lost = loose.findIndex((batch) => {
    const follows = isNext(seq, batch.firstSeq);
    seq = batch.commitSeq;
    return !follows;
  });
  if (lost < 0) return;
  for (const { owner, start } of loose.slice(lost)) owner.validBytes = Math.min(owner.validBytes, start);
}

/** A batch of a recovered segment, by offsets in it. */
interface Batch {
  readonly owner: TakenSegment;
  readonly start: number;
  readonly end: number;
  /** Of the first entry that is its own; what the cleaner moved has older seqs. */
  readonly firstSeq: number;
  readonly commitSeq: number;
}

function isDurable({ owner, end }: Batch): boolean {
  return end <= owner.durableBytes;
}

/** Seqs pass over the last ones below a multiple of 2^32 where a batch would cross it; see `Log.alignSeq`. */
function isNext(seq: number, firstSeq: number): boolean {
  const skipped = firstSeq - 1 - seq;
  return skipped === 0 || (skipped > 0 && skipped <= BATCH_ENTRIES_MAX && (firstSeq - 1) % TWO_32 === 0);
}

const TWO_32 = 0x1_0000_0000;

function batchesOf(arena: Arena, owner: TakenSegment): Batch[] {
  const batches: Batch[] = [];
  if (owner.segment === null) return batches;
  const { startAddress } = owner.segment;
  const offsetOf = (address: number): number => (address - startAddress) * WORD_BYTES;
  let start = 0;
  const seqs: number[] = [];
  for (const address of addressesOf(arena, owner.segment, owner.validBytes)) {
    const seq = seqAt(arena, address);
    if (kindAt(arena.words, address) !== KIND.commit) {
      seqs.push(seq);
      continue;
    }
    const end = offsetOf(address) + entryBytesAt(arena.words, address);
    batches.push({ owner, start, end, firstSeq: firstOwnSeq(seqs, seq), commitSeq: seq });
    seqs.length = 0;
    start = end;
  }
  return batches;
}

/** Walks back from the commit over the seqs that lead to it one by one. */
function firstOwnSeq(seqs: readonly number[], commitSeq: number): number {
  let first = commitSeq;
  for (let at = seqs.length - 1; at >= 0; at--) if (seqs[at] === first - 1) first -= 1;
  return first;
}

/** The entries behind the start. */
function* addressesOf(arena: Arena, segment: Segment, bytes: number): Generator<number> {
  const end = segment.startAddress + bytes / WORD_BYTES;
  let address = segment.startAddress + START_BYTES / WORD_BYTES;
  while (address < end) {
    yield address;
    address += entryBytesAt(arena.words, address) / WORD_BYTES;
  }
}
