import { assert } from '@niobe/kernel';
import { SEGMENTS_PER_PARTITION_MAX } from '../limits.ts';
import {
  OK,
  sameAttempt,
  type Attempt,
  type BackupStoreReport,
  type Change,
  type CopyHolding,
  type SegmentHolding,
  type Verdict,
} from './backup-store.ts';

/**
 * What copies of partitions are known to hold, without their bytes: the rules of a backup store, free of I/O.
 *
 * A change is first judged, which changes nothing, and its effect is then applied. The effect is what a journal records: applying the
 * recorded effects in order to an older ledger gives the newer one.
 */

/** What a change comes to: a verdict and, unless nothing changes, the effect to record and apply. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly effect: Change | null;
}

interface Segment {
  epoch: number;
  heldBytes: number;
  committedBytes: number;
}

interface Copy {
  promised: Attempt | null;
  completeEpoch: number;
  readonly segments: Map<number, Segment>;
}

const UNCHANGED: Judgement = { verdict: OK, effect: null };

/** The copies of all partitions. Not safe against outside input beyond what {@link judge} checks: frames are checked when read. */
export class CopyLedger {
  readonly #copies = new Map<number, Copy>();

  /** O(1), but for the copy of the segment list. */
  holding(partition: number): CopyHolding {
    const copy = this.#copies.get(partition);
    if (copy === undefined) return { partition, promised: null, completeEpoch: 0, segments: [] };
    const segments = [...copy.segments].map(([segment, held]) => ({ segment, ...held }));
    segments.sort((a, b) => a.segment - b.segment);
    return { partition, promised: copy.promised, completeEpoch: copy.completeEpoch, segments };
  }

  /** The segment as held, or null. */
  segment(partition: number, segment: number): Readonly<Omit<SegmentHolding, 'segment'>> | null {
    return this.#copies.get(partition)?.segments.get(segment) ?? null;
  }

  partitions(): number[] {
    return [...this.#copies.keys()].sort((a, b) => a - b);
  }

  report(): BackupStoreReport {
    let segments = 0;
    let heldBytes = 0;
    for (const copy of this.#copies.values()) {
      segments += copy.segments.size;
      for (const held of copy.segments.values()) heldBytes += held.heldBytes;
    }
    return { partitions: this.#copies.size, segments, heldBytes };
  }

  /** Says what `change` by `attempt` comes to; changes nothing. */
  judge(partition: number, attempt: Attempt, change: Change): Judgement {
    const copy = this.#copies.get(partition);
    const promised = copy?.promised ?? null;
    if (change.kind === 'register') return judgeRegister(promised, attempt);
    if (copy === undefined || !sameAttempt(promised, attempt)) return fenced(promised);
    if (change.kind === 'complete')
      return change.completeEpoch === copy.completeEpoch ? UNCHANGED : { verdict: OK, effect: change };
    return judgeSegment(copy, change);
  }

  /** Takes in an effect. */
  apply(partition: number, attempt: Attempt, effect: Change): void {
    const copy = this.#copyOf(partition);
    if (effect.kind === 'register') copy.promised = attempt;
    else if (effect.kind === 'complete') copy.completeEpoch = effect.completeEpoch;
    else if (effect.kind === 'free') copy.segments.delete(effect.segment);
    else if (effect.kind === 'truncate') cut(copy, effect.segment, effect.length);
    else if (effect.kind === 'append') extend(copy, effect);
  }

  /** Takes in a copy as {@link holding} told it. */
  restore(holding: CopyHolding): void {
    const copy = this.#copyOf(holding.partition);
    copy.promised = holding.promised;
    copy.completeEpoch = holding.completeEpoch;
    copy.segments.clear();
    for (const { segment, ...held } of holding.segments) copy.segments.set(segment, { ...held });
  }

  /** Declares every copy unfinished: something was lost and nobody knows where. */
  distrustAll(): void {
    for (const copy of this.#copies.values()) copy.completeEpoch = 0;
  }

  #copyOf(partition: number): Copy {
    let copy = this.#copies.get(partition);
    if (copy === undefined) {
      copy = { promised: null, completeEpoch: 0, segments: new Map() };
      this.#copies.set(partition, copy);
    }
    return copy;
  }
}

type SegmentChange = Exclude<Change, { kind: 'register' | 'complete' }>;
type AppendChange = Extract<Change, { kind: 'append' }>;

function fenced(promised: Attempt | null): Judgement {
  return { verdict: { kind: 'FENCED', promised }, effect: null };
}

function gap(heldBytes: number): Judgement {
  return { verdict: { kind: 'GAP', heldBytes }, effect: null };
}

function judgeRegister(promised: Attempt | null, attempt: Attempt): Judgement {
  if (sameAttempt(promised, attempt)) return UNCHANGED;
  if (promised !== null && promised.epoch >= attempt.epoch) return fenced(promised);
  return { verdict: OK, effect: { kind: 'register' } };
}

function judgeSegment(copy: Copy, change: SegmentChange): Judgement {
  const found = copy.segments.get(change.segment);
  const held = found?.epoch === change.segmentEpoch ? found : null;
  switch (change.kind) {
    case 'append':
      return found !== undefined && held === null ? gap(0) : judgeAppend(copy, held, change);
    case 'repair':
      if (held === null || change.offset + change.bytes.length > held.heldBytes) return gap(held?.heldBytes ?? 0);
      return { verdict: OK, effect: change };
    case 'truncate':
      if (held === null || change.length > held.heldBytes) return gap(held?.heldBytes ?? 0);
      if (held.heldBytes === change.length && held.committedBytes === change.length) return UNCHANGED;
      return { verdict: OK, effect: change };
    case 'free':
      return held === null ? UNCHANGED : { verdict: OK, effect: change };
  }
}

/** What is held already is cut off the front of the effect: a piece that comes twice changes nothing. */
function judgeAppend(copy: Copy, held: Segment | null, change: AppendChange): Judgement {
  const heldBytes = held?.heldBytes ?? 0;
  if (change.offset > heldBytes) return gap(heldBytes);
  if (held === null && copy.segments.size >= SEGMENTS_PER_PARTITION_MAX) return gap(0);
  const known = Math.min(heldBytes - change.offset, change.bytes.length);
  const bytes = change.bytes.subarray(known);
  const isNews = held === null || bytes.length > 0 || change.committedBytes > held.committedBytes;
  if (!isNews) return UNCHANGED;
  return { verdict: OK, effect: { ...change, offset: change.offset + known, bytes } };
}

function extend(copy: Copy, effect: AppendChange): void {
  const held = copy.segments.get(effect.segment) ?? { epoch: effect.segmentEpoch, heldBytes: 0, committedBytes: 0 };
  assert(held.epoch === effect.segmentEpoch, 'an append goes to the segment of its epoch');
  held.heldBytes = Math.max(held.heldBytes, effect.offset + effect.bytes.length);
  held.committedBytes = Math.max(held.committedBytes, effect.committedBytes);
  assert(held.committedBytes <= held.heldBytes, 'whole batches are among the bytes held');
  copy.segments.set(effect.segment, held);
}

function cut(copy: Copy, segment: number, length: number): void {
  const held = copy.segments.get(segment);
  assert(held !== undefined && length <= held.heldBytes, 'a segment is cut to less than is held');
  held.heldBytes = length;
  held.committedBytes = length;
}
