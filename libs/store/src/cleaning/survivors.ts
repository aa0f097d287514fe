import { isNiobeError } from '@niobe/kernel';
import {
  copiedBytes,
  copyEntry,
  entryBytesAt,
  expiresAt,
  KIND,
  kindAt,
  schemaIdAt,
  slotAt,
  WORD_BYTES,
} from '../entry.ts';
import { entriesStart, overheadOf } from '../log.ts';
import type { Parts } from '../parts.ts';
import type { Segment } from '../segment.ts';
import type { Victim } from './victim.ts';

/**
 * Writes what lives in victims to survivor segments, oldest first, a batch at a time.
 *
 * 1. The victim whose next entry is oldest goes first. A head is in order of versions and what was merged is too, so survivors come out
 *    sorted by age, but for where one merge went on in a segment that another had begun.
 * 2. All that can fail comes before the first copy. Then entries are copied to where they will stay, behind what the survivor segment
 *    holds, where nobody reads before the commit.
 * 3. With the commit written, each slot is pointed to the new place, and live bytes go over from victim to survivor.
 */
export class Survivors {
  readonly #parts: Parts;
  /** Where the entries of the batch lie in the victims; as survivors they lie one behind the other. */
  readonly #from: Uint32Array = new Uint32Array(BATCH_ENTRIES_MAX);
  #count = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Moves a batch of what lives in the victims. Returns its bytes, 0 where nothing lives there any more. Throws `STORE_FULL` and changes
   * nothing.
   *
   * @param mostBytes no larger segment is opened unless an entry needs it
   */
  moveBatch(victims: readonly Victim[], mostBytes: number): number {
    const { arena, log } = this.#parts;
    const first = this.#skipDead(victims);
    if (first === null) return 0;
    log.alignSeq();
    this.#own(first.nextAddress);
    const neededBytes = copiedBytes(arena, first.nextAddress, log.versionWord);
    const survivor = log.makeRoom('survivor', neededBytes, 'clean', mostBytes);
    const roomBytes = survivor.roomBytes - overheadOf(survivor);
    const bytes = this.#gather(victims, survivor, Math.min(roomBytes, Math.max(neededBytes, BATCH_BYTES)));
    this.#copy(survivor);
    log.endBatch(survivor, bytes);
    this.#settle(survivor, bytes);
    log.announce(survivor, bytes);
    return bytes;
  }

  /** The victim that the batch begins with. */
  #skipDead(victims: readonly Victim[]): Victim | null {
    let victim = oldest(victims);
    for (; victim !== null && !this.#isLive(victim.nextAddress); victim = oldest(victims)) victim.advance();
    return victim;
  }

  /** Collects entries until no other fits, or none can be moved, and returns their bytes as survivors. */
  #gather(victims: readonly Victim[], survivor: Segment, mostBytes: number): number {
    const { arena } = this.#parts;
    const { versionWord } = survivor;
    let bytes = 0;
    this.#count = 0;
    for (let victim = oldest(victims); victim !== null; victim = oldest(victims)) {
      const from = victim.nextAddress;
      if (this.#isLive(from)) {
        const next = bytes + copiedBytes(arena, from, versionWord);
        if (next > mostBytes || this.#count === BATCH_ENTRIES_MAX || !this.#canOwn(from)) break;
        this.#from[this.#count++] = from;
        bytes = next;
        victim.segment.liveBytes -= entryBytesAt(arena.words, from);
      }
      victim.advance();
    }
    return bytes;
  }

  #isLive(address: number): boolean {
    const { arena, definitions, slots } = this.#parts;
    const { words } = arena;
    if (kindAt(words, address) !== KIND.schema) return slots.address(slotAt(words, address)) === address;
    return definitions.get(schemaIdAt(words, address))?.address === address;
  }

  #own(address: number): void {
    const { arena, slots } = this.#parts;
    if (kindAt(arena.words, address) !== KIND.schema) slots.own(slotAt(arena.words, address));
  }

  /** False where there is no page of slots to be had; the next batch begins with this entry and says so. */
  #canOwn(address: number): boolean {
    try {
      this.#own(address);
      return true;
    } catch (error) {
      if (isNiobeError(error, 'STORE_FULL')) return false;
      throw error;
    }
  }

  #copy(survivor: Segment): void {
    const { arena } = this.#parts;
    let to = entriesStart(survivor) / WORD_BYTES;
    for (let i = 0; i < this.#count; i++) to += copyEntry(arena, this.#from[i]!, to, survivor.versionWord) / WORD_BYTES;
  }

  /** Points slots and definitions to where their entries are now. */
  #settle(survivor: Segment, bytes: number): void {
    const { arena, definitions, slots } = this.#parts;
    const { words } = arena;
    const start = entriesStart(survivor) / WORD_BYTES;
    const end = start + bytes / WORD_BYTES;
    for (let at = start; at < end; at += entryBytesAt(words, at) / WORD_BYTES) {
      if (kindAt(words, at) === KIND.schema) {
        const schemaId = schemaIdAt(words, at);
        definitions.set(schemaId, { address: at, revision: definitions.get(schemaId)!.revision });
      } else {
        slots.move(slotAt(words, at), at);
      }
      const expiresS = expiresAt(words, at);
      if (expiresS !== 0 && expiresS < survivor.earliestExpiryS) survivor.earliestExpiryS = expiresS;
    }
    survivor.liveBytes += bytes;
  }
}

/** The victim whose next entry has the lowest version, null where none has any. */
function oldest(victims: readonly Victim[]): Victim | null {
  let found: Victim | null = null;
  let seq = Infinity;
  for (let i = 0; i < victims.length; i++) {
    const victim = victims[i]!;
    if (victim.nextSeq >= seq) continue;
    seq = victim.nextSeq;
    found = victim;
  }
  return found;
}

/** A batch of survivors: some 60 us of work, and commits cost less than a thousandth of the bytes. */
const BATCH_BYTES: number = 64 * 1024;
const BATCH_ENTRIES_MAX = 4096;
