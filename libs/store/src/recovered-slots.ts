import type { CompiledSchema } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import {
  entryBytesAt,
  expiresAt,
  GENERATION_MAX,
  generationAt,
  keyBytesAt,
  keyStartAt,
  KIND,
  kindAt,
  schemaIdAt,
  seqAt,
  slotAt,
  START_BYTES,
  WORD_BYTES,
} from './entry.ts';
import type { Parts } from './parts.ts';
import { damagedAt } from './recovered-entries.ts';
import { RecoveredKeys } from './recovered-keys.ts';
import type { Segment } from './segment.ts';
import { PAGE_SLOTS } from './page-pool.ts';

/**
 * The second walk of a recovery, once every slot points to its newest entry: counts what lives, indexes the keys of cells and notes the
 * free slots. It goes from segment to segment, as the bytes lie, because in the order of slots every cell would be a cache miss.
 */
export function restoreLiving(parts: Parts): void {
  const free = new FreedSlots();
  const keyed = keyedSlots(parts);
  parts.index.expect(keyed, parts.slots.limit);
  const keys = new RecoveredKeys(parts.index, keyed, (slot) => refuseTwin(parts, slot));
  for (const segment of parts.log.segments()) restoreSegment(parts, segment, keys, free);
  keys.insertAll();
  for (const { address } of parts.definitions.values()) count(parts, parts.arena.segmentOf(address), address);
  parts.slots.afterRecovery((slot) => refuseHole(parts, slot));
  for (const slot of free.oldestFirst()) parts.slots.release(slot);
}

/** Slots of schemas with keys: as many cells, at most, as there are keys to index. */
function keyedSlots({ schemas, slots }: Parts): number {
  let count = 0;
  for (let page = 0; page < slots.pages; page++)
    if (schemas.get(slots.schemaIds[page]!)?.isKeyed === true) count += PAGE_SLOTS;
  return count;
}

function restoreSegment(parts: Parts, segment: Segment, keys: RecoveredKeys, free: FreedSlots): void {
  const { arena, slots } = parts;
  const { words } = arena;
  const end = segment.endAddress;
  let address = segment.startAddress + START_BYTES / WORD_BYTES;
  while (address < end) {
    const kind = kindAt(words, address);
    const bytes = entryBytesAt(words, address);
    if (kind === KIND.cell || kind === KIND.tombstone) {
      const slot = slotAt(words, address);
      if (slots.address(slot) === address) {
        count(parts, segment, address);
        if (kind === KIND.cell) restoreCell(parts, segment, keys, slot, address);
        else if (generationAt(words, address) < GENERATION_MAX) free.add(slot, seqAt(arena, address));
      }
    }
    address += bytes / WORD_BYTES;
  }
}

function count({ arena }: Parts, segment: Segment, address: number): void {
  segment.liveBytes += entryBytesAt(arena.words, address);
  const expiresS = expiresAt(arena.words, address);
  if (expiresS !== 0 && expiresS < segment.earliestExpiryS) segment.earliestExpiryS = expiresS;
}

function restoreCell(parts: Parts, segment: Segment, keys: RecoveredKeys, slot: number, address: number): void {
  const { arena, slots } = parts;
  slots.fill(slot, address);
  const schema = schemaOf(parts, segment, address);
  if (!schema.isKeyed) return;
  const { words } = arena;
  const hash = schema.hashKey(arena.bytes, keyStartAt(words, address), keyBytesAt(words, address));
  keys.add(hash, slot);
}

function refuseTwin(parts: Parts, slot: number): never {
  const address = parts.slots.address(slot);
  const what = `partition ${parts.log.partition} has two cells of one key`;
  throw damagedAt(parts, parts.arena.segmentOf(address), address, what);
}

function schemaOf(parts: Parts, segment: Segment, address: number): CompiledSchema {
  const schemaId = schemaIdAt(parts.arena.words, address);
  const schema = parts.schemas.get(schemaId);
  if (schema === undefined) throw damagedAt(parts, segment, address, `schema ${schemaId} is nowhere defined`);
  return schema;
}

/** Slots of a page are used one after another and keep their latest entry for ever, so one without an entry has lost it. */
function refuseHole({ log, slots }: Parts, slot: number): void {
  if (slots.address(slot) !== 0) return;
  const { partition } = log;
  throw new NiobeError(
    'DAMAGED',
    `partition ${partition}: slot ${slot} has no entry, though later slots have: a segment of the log is missing; recover from a copy that has it`,
    { partition, slot },
  );
}

/** Free slots with the seqs of their tombstones. */
class FreedSlots {
  readonly #slots: number[] = [];
  readonly #seqs: number[] = [];

  add(slot: number, seq: number): void {
    this.#slots.push(slot);
    this.#seqs.push(seq);
  }

  /** As the store would have reused them. */
  oldestFirst(): number[] {
    const seqs = Float64Array.from(this.#seqs);
    const order = Uint32Array.from(seqs.keys()).sort((a, b) => seqs[a]! - seqs[b]!);
    return Array.from(order, (at) => this.#slots[at]!);
  }
}
