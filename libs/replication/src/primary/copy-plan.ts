import type { CopyHolding, SegmentHolding } from '../backup/backup-store.ts';
import type { LogSegment, PartitionLog } from './partition-log.ts';

/**
 * How a copy becomes like the log it is a copy of. Pure.
 *
 * The order is what makes a copy usable for recovery at every moment in between:
 *
 * 1. What the log does not have goes first: tails and segments that recovery dropped, or that were freed meanwhile. Nothing of
 *    them was acknowledged, or its survivors are held.
 * 2. Damage is overwritten.
 * 3. The base is filled up and the copy declared complete *before* anything that this attempt wrote. So of two copies that are
 *    complete at the same epoch, none has seen anything of a later one, and a copy that has is complete at it.
 * 4. Segments go in the order of their numbers, so that a copy always is a beginning of the log.
 */

/** One step towards the log: a range to be sent, in pieces, or a change that has no payload. */
export type Step =
  | { readonly kind: 'append' | 'repair'; readonly segment: number; from: number; readonly to: number }
  | { readonly kind: 'truncate'; readonly segment: number; readonly epoch: number; readonly length: number }
  | { readonly kind: 'free'; readonly segment: number; readonly epoch: number }
  | { readonly kind: 'complete'; readonly completeEpoch: number };

/** Steps, and what holds when they are done. */
export interface CopyPlan {
  readonly steps: Step[];
  /** Commits up to here are then on the copy. */
  readonly seq: number;
  /** What the copy holds of each segment before the appends, where the log has it too. */
  readonly heldBytes: Map<number, number>;
  /** Segments left for afterwards. */
  readonly rest: readonly number[];
}

/** What is known of a copy besides its inventory. */
export interface CopyPast {
  /** Whether commits of this attempt may have been acknowledged while this copy was complete. */
  readonly wasComplete: boolean;
  /** Segments that recovery found damaged on it. */
  readonly damaged: ReadonlySet<number>;
}

/** Plans the way from `holding` to `log`. O(segments). */
export function planCopy(log: PartitionLog, holding: CopyHolding, past: CopyPast): CopyPlan {
  const heldBytes = new Map<number, number>();
  const steps = [...cuts(log, holding, heldBytes), ...repairs(log, past.damaged, heldBytes)];
  const epoch = log.attempt.epoch;
  if (holding.completeEpoch === epoch) {
    steps.push(...appends(log.segments(), heldBytes));
    return { steps, seq: log.lastSeq, heldBytes, rest: [] };
  }
  if (log.baseIsWhole && !past.wasComplete) return planBase(log, steps, heldBytes);
  // The copy lost what it had, or is of an older past than the log still knows: until it is refilled it must not count as complete.
  steps.unshift({ kind: 'complete', completeEpoch: 0 });
  steps.push(...appends(log.segments(), heldBytes), { kind: 'complete', completeEpoch: epoch });
  return { steps, seq: log.lastSeq, heldBytes, rest: [] };
}

function planBase(log: PartitionLog, steps: Step[], heldBytes: Map<number, number>): CopyPlan {
  const epoch = log.attempt.epoch;
  const isOfBase = (segment: LogSegment): boolean => segment.epoch < epoch;
  const segments = log.segments();
  steps.push(...appends(segments.filter(isOfBase), heldBytes), { kind: 'complete', completeEpoch: epoch });
  const rest = segments.filter((segment) => !isOfBase(segment)).map(({ segment }) => segment);
  return { steps, seq: log.baseSeq, heldBytes, rest };
}

function cuts(log: PartitionLog, holding: CopyHolding, heldBytes: Map<number, number>): Step[] {
  const steps: Step[] = [];
  for (const held of holding.segments) {
    const mine = log.segment(held.segment);
    if (mine === undefined || mine.epoch !== held.epoch) {
      steps.push({ kind: 'free', segment: held.segment, epoch: held.epoch });
      continue;
    }
    heldBytes.set(held.segment, Math.min(held.heldBytes, mine.endBytes));
    if (isTooLong(held, mine))
      steps.push({ kind: 'truncate', segment: held.segment, epoch: held.epoch, length: mine.endBytes });
  }
  return steps;
}

/** Also true for a copy that has all bytes and does not know that they end with a whole batch. */
function isTooLong(held: SegmentHolding, mine: LogSegment): boolean {
  if (held.heldBytes > mine.endBytes) return true;
  return held.heldBytes === mine.endBytes && held.committedBytes < mine.endBytes;
}

function repairs(log: PartitionLog, damaged: ReadonlySet<number>, heldBytes: ReadonlyMap<number, number>): Step[] {
  const steps: Step[] = [];
  for (const segment of damaged) {
    const held = heldBytes.get(segment) ?? 0;
    if (held > 0 && log.segment(segment) !== undefined) steps.push({ kind: 'repair', segment, from: 0, to: held });
  }
  return steps;
}

function appends(segments: readonly LogSegment[], heldBytes: ReadonlyMap<number, number>): Step[] {
  const steps: Step[] = [];
  for (const { segment, endBytes } of segments) {
    const held = heldBytes.get(segment) ?? 0;
    if (held < endBytes) steps.push({ kind: 'append', segment, from: held, to: endBytes });
  }
  return steps;
}
