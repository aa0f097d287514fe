import type { Attempt, Catalogue, Change, CopyLedger } from '@niobe/replication';
import type { DamageList } from './damage-list.ts';
import { readRecord, ROUND_HEADER_BYTES, type JournalRecord } from './journal-format.ts';
import { readRoundBody, type RoundPlace } from './journal-scan.ts';
import { ROUND_BUFFER_BYTES } from './limits.ts';
import { RoundBuffer } from './round-buffer.ts';
import type { WriteBehind } from './write-behind.ts';

/**
 * Bringing the ledger and the segment files from a checkpoint to the end of the journal.
 *
 * 1. The files may be anywhere between the checkpoint and the end. Making every change since the checkpoint once more, in order,
 *    leads to the end all the same.
 * 2. The last round may be torn: nobody was told of it, and it counts up to its first record that does not check. Rounds were
 *    written one at a time, each after the one before was synced, so what does not check in any other is damage.
 * 3. A payload that is damaged is left out, but its place in the segment counts as held: the primary finds there what does not
 *    check, and repairs it from another copy. Where it is not known what was lost, every copy is declared unfinished.
 */

/** What a replay changes and where it says what it found. */
export interface ReplayTarget {
  readonly ledger: CopyLedger;
  readonly writeBehind: WriteBehind;
  readonly damage: DamageList;
  catalogue: Catalogue | null;
}

/** How a replay ended. */
export interface ReplayEnd {
  /** First number that no round has, or had. */
  readonly nextRound: number;
  readonly rounds: number;
  /** Whether the last round was torn. */
  readonly isTorn: boolean;
}

/** Replays rounds in rising order, from number `firstRound` on. */
export async function replayJournal(
  places: readonly RoundPlace[],
  firstRound: number,
  target: ReplayTarget,
): Promise<ReplayEnd> {
  const wanted = places.filter(({ round }) => round >= firstRound);
  let nextRound = firstRound;
  let isTorn = false;
  for (const [i, place] of wanted.entries()) {
    if (place.round !== nextRound) reportMissing(target, place, nextRound);
    isTorn = await replayRound(place, i === wanted.length - 1, target);
    nextRound = place.round + 1;
    if (target.writeBehind.waitingBytes >= ROUND_BUFFER_BYTES) await target.writeBehind.drain();
  }
  await target.writeBehind.drain();
  return { nextRound, rounds: wanted.length, isTorn };
}

function reportMissing({ ledger, damage }: ReplayTarget, { file, fileOffset, round }: RoundPlace, from: number): void {
  damage.add(file, fileOffset, `rounds ${from} to ${round - 1} of the journal are damaged or missing`);
  ledger.distrustAll();
}

/** Replays one round; true if it is the last and torn. */
async function replayRound(place: RoundPlace, isLast: boolean, target: ReplayTarget): Promise<boolean> {
  const body = await readRoundBody(place);
  const buffer = new RoundBuffer(body);
  for (let at = 0; at < place.bodyBytes;) {
    const record = readRecord(body, at, place.round);
    if (isLast && record?.isWhole !== true) return true;
    if (record === null) {
      const message = `a record of round ${place.round} does not check, and those behind it cannot be found`;
      target.damage.add(place.file, place.fileOffset + ROUND_HEADER_BYTES + at, message);
      target.ledger.distrustAll();
      return false;
    }
    replayRecord(record, buffer, target);
    if (!record.isWhole) reportRecord(record, place, at, target);
    at = record.end;
  }
  return false;
}

/** Only the bytes of a segment can be had from elsewhere. */
function reportRecord({ content }: JournalRecord, place: RoundPlace, at: number, target: ReplayTarget): void {
  const fileOffset = place.fileOffset + ROUND_HEADER_BYTES + at;
  if (content.kind === 'change' && 'offset' in content.change) {
    const { segment, offset } = content.change;
    const where = { partition: content.partition, segment, offset };
    target.damage.add(place.file, fileOffset, `bytes for a segment in round ${place.round} do not check`, where);
    return;
  }
  const what = content.kind === 'change' ? content.change.kind : content.kind;
  target.damage.add(place.file, fileOffset, `the record '${what}' in round ${place.round} does not check`);
  target.ledger.distrustAll();
}

function replayRecord({ content, isWhole }: JournalRecord, buffer: RoundBuffer, target: ReplayTarget): void {
  if (content.kind === 'change') {
    const { partition, attempt, change } = content;
    if (!isWhole && !('offset' in change)) return;
    replayChange(target, partition, attempt, change, isWhole ? buffer : null);
  } else if (isWhole) {
    target.catalogue = { revision: content.catalogue.revision, bytes: content.catalogue.bytes.slice() };
  }
}

/**
 * Applies a change as far as it fits what is held. From a checkpoint on every change fits, unless something before it was damaged.
 * @param buffer holds the bytes of the change; null if they are damaged.
 */
function replayChange(
  target: ReplayTarget,
  partition: number,
  attempt: Attempt,
  change: Change,
  buffer: RoundBuffer | null,
): void {
  const { ledger, writeBehind } = target;
  if (!('segment' in change)) {
    if (change.kind === 'complete' || isNewer(ledger, partition, attempt)) ledger.apply(partition, attempt, change);
    return;
  }
  const { segment, segmentEpoch: epoch } = change;
  const held = ledger.segment(partition, segment);
  if (held !== null && held.epoch !== epoch) return;
  if (!fits(change, held?.heldBytes ?? null)) return;
  ledger.apply(partition, attempt, change);
  const name = { partition, segment, epoch };
  if (change.kind === 'free') writeBehind.queue(name, { kind: 'remove' });
  else if (change.kind === 'truncate') writeBehind.queue(name, { kind: 'truncate', length: change.length });
  else if (buffer !== null && change.bytes.length > 0)
    writeBehind.queue(name, { kind: 'write', offset: change.offset, bytes: change.bytes, buffer });
}

function isNewer(ledger: CopyLedger, partition: number, attempt: Attempt): boolean {
  return attempt.epoch > (ledger.holding(partition).promised?.epoch ?? -1);
}

function fits(change: Extract<Change, { segment: number }>, heldBytes: number | null): boolean {
  if (change.kind === 'append') return true;
  if (heldBytes === null) return false;
  if (change.kind === 'truncate') return change.length <= heldBytes;
  return change.kind === 'free' || change.offset + change.bytes.length <= heldBytes;
}
