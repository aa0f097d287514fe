import { WORD_BYTES } from '../entry.ts';
import type { Parts } from '../parts.ts';
import type { Segment } from '../segment.ts';

/**
 * Which sealed segments are worth to be emptied now, the best first.
 *
 * 1. What a segment is worth is benefit over cost (Rosenblum and Ousterhout 1992; Rumble et al. 2014): `dead * age / (1 + live)`, as
 *    shares. Free bytes of old data stay free longer, so old segments are worth it while fewer of their bytes are dead.
 * 2. Age counts from when the segment was opened, in bytes that writers of the arena have taken since. Not from the versions of what
 *    lives in it: a few cold cells make a hot segment look cold, and a simulation with those ages moves twice as much
 *    (`npm run bench -- store/overwrite`). Not in seconds: an idle hour changes nothing. Of the arena, so that partitions compare.
 * 3. How much must be dead depends on how scarce memory is. With enough of it nothing is moved; only what is empty is given back.
 * 4. No more is taken on at once than there is room for: what lives in victims is in memory twice until all of it was moved.
 */
export function chooseVictims(parts: Parts): Segment[] {
  const { arena, log } = parts;
  const terms = termsOf(parts);
  const worthy = [...log.segments()].filter((segment) => worthOf(segment, terms) > 0);
  const inTheWay = worthy.filter((segment) => segment.isInTheWay);
  if (inTheWay.length > 0) return inTheWay.slice(0, VICTIMS_MAX);
  worthy.sort((a, b) => worthOf(b, terms) - worthOf(a, terms));
  let roomBytes =
    (log.openSegment('survivor')?.roomBytes ?? 0) + Math.min(arena.freeBytes, arena.reserveBytes) * ROOM_SHARE;
  const victims: Segment[] = [];
  for (const segment of worthy.slice(0, VICTIMS_MAX)) {
    roomBytes -= segment.liveBytes;
    if (victims.length > 0 && roomBytes < 0) break;
    victims.push(segment);
  }
  return victims;
}

/** Worth of the best victim, 0 where there is none. O(segments). */
export function bestWorth(parts: Parts): number {
  const terms = termsOf(parts);
  let best = 0;
  for (const segment of parts.log.segments()) best = Math.max(best, worthOf(segment, terms));
  return best;
}

/** What all segments of a partition are judged by. */
interface Terms {
  /** Least share of a segment that must be gained. */
  readonly leastShare: number;
  readonly clockBytes: number;
  readonly freeBytes: number;
  /** What was opened before is seen by a snapshot: emptied, it would be in memory twice. Only if there is no other way. */
  readonly newestMoment: number;
  readonly versionWord: number;
  /** What a live byte grows by where its entry needs a word more because survivors have another base; of the average entry. */
  readonly growth: number;
}

function termsOf({ arena, log, pins, slots }: Parts): Terms {
  return {
    leastShare: leastDeadShare(arena.pressure, arena.isShort),
    clockBytes: arena.clockBytes,
    freeBytes: arena.freeBytes,
    newestMoment: arena.pressure < 1 ? pins.newest : 0,
    versionWord: log.versionWord,
    growth: (slots.used * WORD_BYTES) / Math.max(1, log.liveBytes()),
  };
}

/** 0 for what is no victim. */
function worthOf(segment: Segment, terms: Terms): number {
  if (segment.state !== 'sealed' || segment.stuckAtFreeBytes >= terms.freeBytes) return 0;
  if (segment.isInTheWay) return Infinity;
  if (segment.openedAt < terms.newestMoment) return 0;
  const grownBytes = segment.versionWord === terms.versionWord ? 0 : segment.liveBytes * terms.growth;
  const gained = segment.deadShare - grownBytes / segment.capacityBytes;
  if (gained < terms.leastShare) return 0;
  return (gained * (terms.clockBytes - segment.openedAtBytes + segment.capacityBytes)) / (2 - gained);
}

/** More would sort a little better, and hold more memory twice. */
const VICTIMS_MAX = 4;
/** Share of the reserve that the survivors of one choice may need: what `Arena` lends without asking writers for as much. */
const ROOM_SHARE = 1 / 2;

/** With the least pressure a victim must be half dead, ... */
const DEAD_SHARE_EASY = 1 / 2;
/** ... with the most, or where somebody was refused, enough to pay for the commits of its survivors and the ends of their segments. */
const DEAD_SHARE_HARD = 1 / 32;

function leastDeadShare(pressure: number, isShort: boolean): number {
  if (pressure === 0) return Infinity;
  return isShort ? DEAD_SHARE_HARD : Math.max(DEAD_SHARE_HARD, DEAD_SHARE_EASY * (1 - pressure) ** 2);
}
