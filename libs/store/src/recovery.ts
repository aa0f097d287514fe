import { NiobeError } from '@niobe/kernel';
import { cutAfterGap } from './commit-chain.ts';
import { closeParts, type Parts } from './parts.ts';
import { RecoveredCopies, type RecoveredSegment, type TakenSegment } from './recovered-copies.ts';
import { placeEntries } from './recovered-entries.ts';
import { restoreLiving } from './recovered-slots.ts';

/** What a recovery found. */
export interface RecoveryReport {
  /** Segments that were taken, and their bytes. */
  readonly segments: number;
  readonly bytes: number;
  /** Copies of segments of which there were others. */
  readonly repeatedCopies: number;
  /** What was cut off above the durable lengths, in order of segments. */
  readonly cutTails: readonly CutTail[];
}

/** The end of a segment that was not durable and does not check, or follows a batch that is lost. */
export interface CutTail {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Rebuilds an empty partition from the segments of its log.
 *
 * 1. Segments come in any order, some of them more than once. Of each the longest valid prefix of all copies is taken into the arena,
 *    sealed (recovered-copies.ts). What was durable and does not check in any copy is damage; what was not durable is cut, and with it
 *    every later batch (commit-chain.ts), so that what is left is the log as it was at one commit.
 * 2. Per slot the entry with the highest version wins, cell or tombstone; per schema the highest revision (recovered-entries.ts). The
 *    latest entry of every slot is always in the log, because the cleaner keeps it. What it moved may be there twice, with the same
 *    version and content, so it does not matter which is taken.
 * 3. A second walk counts what lives, indexes its keys and queues the free slots by the age of their tombstones (recovered-slots.ts).
 *    Secondary indexes are then built from the cells.
 *
 * Everything is derived from the segments alone, so a recovery that was interrupted is begun again, and one of what a recovered store
 * holds gives the same store. Which segments there must be, the log cannot know: the cleaner frees some all the time, so the caller must
 * give all that a copy holds, as the ledger of a backup server lists them. A missing one is noticed where it leaves a trace: a slot
 * without entry among used ones, a cell whose schema is nowhere defined, two cells of one key.
 *
 * Throws `DAMAGED` with partition, segment and offset where they are known, `INCOMPATIBLE` for segments of another format, `STORE_FULL`
 * where the arena is too small, `FENCED` where the log is of a higher epoch; the arena is then as before. O(bytes), and 12 bytes a free
 * slot of memory beside the arena.
 */
export function recoverSegments(parts: Parts, segments: Iterable<RecoveredSegment>): RecoveryReport {
  const copies = new RecoveredCopies(parts.arena, parts.log);
  try {
    for (const segment of segments) copies.take(segment);
    copies.requireDurable();
    cutAfterGap(parts.arena, copies.segments);
    const report = reportOf(copies);
    copies.adopt();
    for (const segment of parts.log.segments()) placeEntries(parts, segment);
    refuseHigherEpoch(parts);
    restoreLiving(parts);
    parts.indexes.rebuild();
    return report;
  } catch (error) {
    copies.abandon();
    closeParts(parts);
    throw error;
  }
}

function reportOf({ segments, repeated }: RecoveredCopies): RecoveryReport {
  const taken = segments.filter(({ validBytes }) => validBytes > 0);
  return {
    segments: taken.length,
    bytes: taken.reduce((sum, { validBytes }) => sum + validBytes, 0),
    repeatedCopies: repeated,
    cutTails: segments
      .filter(({ heldBytes, validBytes }) => heldBytes > validBytes)
      .map(tailOf)
      .sort(bySegment),
  };
}

function tailOf({ number, validBytes, heldBytes }: TakenSegment): CutTail {
  return { segment: number, offset: validBytes, bytes: heldBytes - validBytes };
}

function bySegment(a: CutTail, b: CutTail): number {
  return a.segment - b.segment;
}

function refuseHigherEpoch(parts: Parts): void {
  const { epoch, lastCommitEpoch, partition } = parts.log;
  if (lastCommitEpoch <= epoch) return;
  throw new NiobeError(
    'FENCED',
    `partition ${partition} was written in epoch ${lastCommitEpoch}, above this owner's ${epoch}`,
  );
}
