import { NiobeError } from '@niobe/kernel';
import {
  bodyBytesAt,
  bodyStartAt,
  entryBytesAt,
  epochAt,
  expiresAt,
  GENERATION_MAX,
  generationAt,
  HEADER_BYTES,
  keyBytesAt,
  keyStartAt,
  KIND,
  kindAt,
  schemaIdAt,
  seqAt,
  slotAt,
  START_BYTES,
  WORD_BYTES,
  type EntryMemory,
} from './entry.ts';
import { SEGMENT_BYTES_MIN } from './limits.ts';
import { powerOfTwoFrom } from './log.ts';
import type { Parts } from './parts.ts';
import { decodeDefinition } from './schema-entries.ts';
import type { Segment } from './segment.ts';
import { baseOf, validPrefix } from './valid-prefix.ts';

/** A segment as a copy has it. */
export interface RecoveredSegment {
  readonly segment: number;
  readonly bytes: Uint8Array;
  /** So much of it was confirmed as durable: what does not check below is damage, above it is a torn tail. */
  readonly durableBytes: number;
}

/**
 * Rebuilds an empty partition from the segments of its log.
 *
 * 1. Segments come in any order. Of each the valid prefix is taken into the arena, sealed.
 * 2. Per slot the entry with the highest version wins, cell or tombstone: the latest entry of every slot is always in the log, because
 *    the cleaner keeps it. Entries that were moved may be there twice, with the same version and content.
 * 3. Free slots are then queued by the age of their tombstones and keys are indexed, both from the slot table alone.
 *
 * Throws `DAMAGED` with partition, segment and offset, `STORE_FULL` where the arena is too small, `FENCED` where the log is of a higher
 * epoch.
 */
export function recoverSegments(parts: Parts, segments: Iterable<RecoveredSegment>): void {
  try {
    for (const recovered of segments) takeIn(parts, recovered);
    refuseHigherEpoch(parts);
    const freeSlots: number[] = [];
    for (let slot = 0; slot < parts.slots.count; slot++) restoreSlot(parts, slot, freeSlots);
    queueFreeSlots(parts, freeSlots);
  } catch (error) {
    parts.log.close();
    throw error;
  }
}

function refuseHigherEpoch(parts: Parts): void {
  const { epoch, lastCommitEpoch, partition } = parts.log;
  if (lastCommitEpoch <= epoch) return;
  throw new NiobeError(
    'FENCED',
    `partition ${partition} was written in epoch ${lastCommitEpoch}, above this owner's ${epoch}`,
  );
}

function takeIn(parts: Parts, recovered: RecoveredSegment): void {
  const { arena, log } = parts;
  const { validBytes } = validPrefix(recovered.bytes);
  if (validBytes < recovered.durableBytes) {
    throw damaged(parts, recovered.segment, validBytes, `${recovered.durableBytes} bytes were durable`);
  }
  if (log.segment(recovered.segment) !== undefined) throw damaged(parts, recovered.segment, 0, 'it came twice');
  log.passNumber(recovered.segment);
  if (validBytes === 0) return;
  const capacityBytes = Math.max(SEGMENT_BYTES_MIN, powerOfTwoFrom(validBytes));
  const segment = arena.open(recovered.segment, capacityBytes, 'clean', baseOf(recovered.bytes));
  if (segment === null) {
    throw new NiobeError(
      'STORE_FULL',
      `partition ${log.partition} does not fit the store: segment ${recovered.segment} found no room`,
    );
  }
  arena.bytes.set(recovered.bytes.subarray(0, validBytes), segment.startByte);
  segment.committedBytes = validBytes;
  log.adopt(segment);
  checkStart(parts, segment);
  readEntries(parts, segment);
}

/** The first entry says which segment of which partition this is. */
function checkStart(parts: Parts, segment: Segment): void {
  const { words } = parts.arena;
  const at = segment.startAddress;
  const [number, partition] = [slotAt(words, at), words[at + 3]];
  if (number !== segment.number || partition !== parts.log.partition) {
    throw damaged(parts, segment.number, 0, `its start names segment ${number} of partition ${partition}`);
  }
}

function readEntries(parts: Parts, segment: Segment): void {
  const { words } = parts.arena;
  let at = segment.startAddress + START_BYTES / WORD_BYTES;
  while (at < segment.endAddress) {
    readEntry(parts, segment, at);
    at += entryBytesAt(words, at) / WORD_BYTES;
  }
}

function readEntry(parts: Parts, segment: Segment, address: number): void {
  const { log } = parts;
  const { words } = parts.arena;
  const seq = seqAt(parts.arena, address);
  log.lastSeq = Math.max(log.lastSeq, seq);
  switch (kindAt(words, address)) {
    case KIND.cell:
    case KIND.tombstone:
      placeEntry(parts, segment, address);
      break;
    case KIND.schema:
      placeDefinition(parts, segment, address);
      break;
    default:
      segment.lastCommitSeq = seq;
      if (seq <= log.lastCommitSeq) break;
      log.lastCommitSeq = seq;
      log.lastCommitEpoch = epochAt(parts.arena, address);
  }
}

function placeEntry(parts: Parts, segment: Segment, address: number): void {
  const { arena, log, slots } = parts;
  const { words } = arena;
  const slot = slotAt(words, address);
  if (slot >= arena.capacityBytes / HEADER_BYTES) {
    throw damaged(parts, segment.number, offsetOf(segment, address), `slot ${slot} is beyond what the store can hold`);
  }
  while (slots.count <= slot) slots.append();
  const before = slots.address(slot);
  if (before !== 0 && !isNewer(arena, address, before)) return;
  if (before !== 0) log.bury(before, entryBytesAt(words, before));
  slots.set(slot, address, kindAt(words, address) === KIND.cell ? schemaIdAt(words, address) : 0);
  segment.liveBytes += entryBytesAt(words, address);
  const expiresS = expiresAt(words, address);
  if (expiresS !== 0) segment.earliestExpiryS = Math.min(segment.earliestExpiryS, expiresS);
}

function isNewer(memory: EntryMemory, address: number, before: number): boolean {
  const epoch = epochAt(memory, address);
  const epochBefore = epochAt(memory, before);
  return epoch === epochBefore ? seqAt(memory, address) > seqAt(memory, before) : epoch > epochBefore;
}

function placeDefinition(parts: Parts, segment: Segment, address: number): void {
  const { arena, definitions, log, schemas } = parts;
  const start = bodyStartAt(arena.words, address);
  const schema = decodeDefinition(arena.bytes.slice(start, start + bodyBytesAt(arena.words, address)));
  const before = definitions.get(schema.id);
  if (before !== undefined && before.revision >= schema.revision) return;
  if (before !== undefined) log.bury(before.address, entryBytesAt(arena.words, before.address));
  definitions.set(schema.id, { address, revision: schema.revision });
  segment.liveBytes += entryBytesAt(arena.words, address);
  schemas.add(schema);
}

/** Indexes the key of a slot's cell if it has one, or notes the slot as free. */
function restoreSlot(parts: Parts, slot: number, freeSlots: number[]): void {
  const { arena, index, log, schemas, slots } = parts;
  const address = slots.address(slot);
  const schemaId = slots.schemaId(slot);
  if (schemaId === 0) {
    if (address === 0 || generationAt(arena.words, address) < GENERATION_MAX) freeSlots.push(slot);
    return;
  }
  const segment = arena.segmentOf(address);
  const schema = schemas.get(schemaId);
  if (schema === undefined)
    throw damaged(parts, segment.number, offsetOf(segment, address), `schema ${schemaId} is nowhere defined`);
  if (!schema.isKeyed) return;
  const keyAt = keyStartAt(arena.words, address);
  const keyBytes = keyBytesAt(arena.words, address);
  const hash = schema.hashKey(arena.bytes, keyAt, keyBytes);
  if (index.find(hash, schemaId, arena.bytes, keyAt, keyBytes) >= 0) {
    throw damaged(
      parts,
      segment.number,
      offsetOf(segment, address),
      `partition ${log.partition} has two cells of one key`,
    );
  }
  index.insert(hash, slot);
}

/** Oldest first. A slot without any entry was never used. */
function queueFreeSlots(parts: Parts, freeSlots: number[]): void {
  const freedAt = (slot: number): number => {
    const address = parts.slots.address(slot);
    return address === 0 ? 0 : seqAt(parts.arena, address);
  };
  freeSlots.sort((a, b) => freedAt(a) - freedAt(b));
  for (const slot of freeSlots) parts.slots.release(slot);
}

function offsetOf(segment: Segment, address: number): number {
  return (address - segment.startAddress) * WORD_BYTES;
}

function damaged(parts: Parts, segment: number, offset: number, why: string): NiobeError {
  const { partition } = parts.log;
  return new NiobeError('DAMAGED', `partition ${partition}, segment ${segment} is damaged at byte ${offset}: ${why}`, {
    partition,
    segment,
    offset,
  });
}
