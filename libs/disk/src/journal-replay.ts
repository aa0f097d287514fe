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
 * 2. The last round may be torn, unless the mark says that it was synced (synced-mark.ts): nobody was told of it, and it counts up to
 *    its first record that does not check. Rounds were written one at a time, each after the one before was synced, so what does not
 *    check in any other is damage.
 * 3. A payload that is damaged is left out, but its place in the segment counts as held: the primary finds there what does not
 *    check, and repairs it from another copy. Where it is not known what was lost, every copy is declared unfinished.
 */

type SegmentChange = Extract<Change, { segment: number }>;

/** What a replay works on. */
export interface ReplayTarget {
  readonly ledger: CopyLedger;
  readonly writeBehind: WriteBehind;
  readonly damage: DamageList;
  readonly catalogue: Catalogue | null;
  /** The last round that is known to be synced. */
  readonly syncedRound: number;
}

/** Replays the rounds of a journal, once. */
export class JournalReplay {
  /** The newest catalogue. */
  catalogue: Catalogue | null;
  /** First number that no round has, or had. */
  nextRound: number;
  /** Rounds that were replayed. */
  rounds = 0;
  /** Whether the last round was torn. */
  isTorn = false;
  readonly #ledger: CopyLedger;
  readonly #writeBehind: WriteBehind;
  readonly #damage: DamageList;
  readonly #syncedRound: number;
  #isTrusted = true;

  /** @param firstRound the first round that is not in the ledger. */
  constructor(target: ReplayTarget, firstRound: number) {
    this.#ledger = target.ledger;
    this.#writeBehind = target.writeBehind;
    this.#damage = target.damage;
    this.#syncedRound = target.syncedRound;
    this.catalogue = target.catalogue;
    this.nextRound = firstRound;
  }

  /** Replays what lies in `places`, which rise by round; earlier rounds are passed over. */
  async run(places: readonly RoundPlace[]): Promise<void> {
    const firstRound = this.nextRound;
    const wanted = places.filter(({ round }) => round >= firstRound);
    for (const [i, place] of wanted.entries()) {
      if (place.round !== this.nextRound) this.#reportMissing(place.file, place.fileOffset, place.round - 1);
      await this.#replayRound(place, i === wanted.length - 1 && place.round > this.#syncedRound);
      if (this.#writeBehind.waitingBytes >= ROUND_BUFFER_BYTES) await this.#writeBehind.drain();
    }
    await this.#writeBehind.drain();
    const last = places.at(-1);
    if (this.nextRound <= this.#syncedRound)
      this.#reportMissing(last?.file ?? 'the journal', last?.fileOffset ?? 0, this.#syncedRound);
    // At the end, because a copy that was declared complete behind the damage lost something all the same.
    if (!this.#isTrusted) this.#ledger.distrustAll();
  }

  #reportMissing(file: string, fileOffset: number, lastMissing: number): void {
    const message = `rounds ${this.nextRound} to ${lastMissing} of the journal are damaged or missing`;
    this.#damage.add(file, fileOffset, message);
    this.nextRound = lastMissing + 1;
    this.#isTrusted = false;
  }

  async #replayRound(place: RoundPlace, mayBeTorn: boolean): Promise<void> {
    const body = await readRoundBody(place);
    const buffer = new RoundBuffer(body);
    this.nextRound = place.round + 1;
    this.rounds += 1;
    for (let at = 0; at < place.bodyBytes;) {
      const record = readRecord(body, at, place.round);
      if (mayBeTorn && record?.isWhole !== true) {
        this.isTorn = true;
        return;
      }
      if (record === null) return this.#reportRest(place, at);
      this.#replayRecord(record, buffer);
      if (!record.isWhole) this.#reportRecord(record, place, at);
      at = record.end;
    }
  }

  #reportRest({ file, fileOffset, round }: RoundPlace, at: number): void {
    const message = `a record of round ${round} does not check, and those behind it cannot be found`;
    this.#damage.add(file, fileOffset + ROUND_HEADER_BYTES + at, message);
    this.#isTrusted = false;
  }

  /** Only the bytes of a segment can be had from elsewhere. */
  #reportRecord({ content }: JournalRecord, { file, fileOffset, round }: RoundPlace, at: number): void {
    const change = content.kind === 'change' ? content.change : null;
    if (content.kind === 'change' && change !== null && 'offset' in change) {
      const { segment, offset } = change;
      const message = `${change.bytes.length} bytes of a segment in round ${round} do not check`;
      const where = { partition: content.partition, segment, offset };
      this.#damage.add(file, fileOffset + ROUND_HEADER_BYTES + at, message, where);
      return;
    }
    const message = `the record '${change?.kind ?? 'catalogue'}' of round ${round} does not check`;
    this.#damage.add(file, fileOffset + ROUND_HEADER_BYTES + at, message);
    this.#isTrusted = false;
  }

  #replayRecord({ content, isWhole }: JournalRecord, buffer: RoundBuffer): void {
    if (content.kind === 'catalogue') {
      const { revision, bytes } = content.catalogue;
      if (isWhole) this.catalogue = { revision, bytes: bytes.slice() };
    } else if ('segment' in content.change) {
      this.#replayChange(content.partition, content.attempt, content.change, isWhole ? buffer : null);
    } else if (content.change.kind === 'complete' || (isWhole && this.#isNewer(content.partition, content.attempt))) {
      this.#ledger.apply(content.partition, content.attempt, content.change);
    }
  }

  #isNewer(partition: number, attempt: Attempt): boolean {
    return attempt.epoch > (this.#ledger.holding(partition).promised?.epoch ?? -1);
  }

  /**
   * Applies a change if it fits what is held. From a checkpoint on every change does, unless something before it was damaged.
   * @param buffer holds the bytes of the change; null if they are damaged.
   */
  #replayChange(partition: number, attempt: Attempt, change: SegmentChange, buffer: RoundBuffer | null): void {
    const { segment, segmentEpoch: epoch } = change;
    const held = this.#ledger.segment(partition, segment);
    if (held !== null && held.epoch !== epoch) return;
    if (!fits(change, held?.heldBytes ?? null)) return;
    this.#ledger.apply(partition, attempt, change);
    const name = { partition, segment, epoch };
    if (change.kind === 'free') this.#writeBehind.queue(name, { kind: 'remove' });
    else if (change.kind === 'truncate') this.#writeBehind.queue(name, { kind: 'truncate', length: change.length });
    else if (buffer !== null && change.bytes.length > 0)
      this.#writeBehind.queue(name, { kind: 'write', offset: change.offset, bytes: change.bytes, buffer });
  }
}

function fits(change: SegmentChange, heldBytes: number | null): boolean {
  if (change.kind === 'append') return true;
  if (heldBytes === null) return false;
  if (change.kind === 'truncate') return change.length <= heldBytes;
  return change.kind === 'free' || change.offset + change.bytes.length <= heldBytes;
}
