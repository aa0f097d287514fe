import type { NiobeError } from '@niobe/kernel';
import {
  bodyBytesAt,
  bodyStartAt,
  entryBytesAt,
  epochAt,
  KIND,
  kindAt,
  schemaIdAt,
  seqAt,
  slotAt,
  START_BYTES,
  versionWordAt,
  WORD_BYTES,
  type EntryMemory,
} from './entry.ts';
import type { Parts } from './parts.ts';
import { damaged } from './recovery-errors.ts';
import { decodeDefinition } from './schema-entries.ts';
import type { Segment } from './segment.ts';
import { PAGE_SLOTS } from './page-pool.ts';

/**
 * The first walk over a recovered segment: points slots and definitions to their newest entry so far, and learns how far the log goes.
 * Nothing is counted yet, because what is newest may lie in a segment that comes later.
 */
export function placeEntries(parts: Parts, segment: Segment): void {
  const { words } = parts.arena;
  const end = segment.endAddress;
  let address = segment.startAddress + START_BYTES / WORD_BYTES;
  while (address < end) {
    const kind = kindAt(words, address);
    if (kind === KIND.cell || kind === KIND.tombstone) placeEntry(parts, segment, address);
    else if (kind === KIND.schema) placeDefinition(parts, segment, address);
    else noteCommit(parts, segment, address);
    address += entryBytesAt(words, address) / WORD_BYTES;
  }
}

/** Every entry's seq is below that of the commit behind it, so commits alone say how far seqs were given out. */
function noteCommit({ arena, log }: Parts, segment: Segment, address: number): void {
  const seq = seqAt(arena, address);
  segment.lastCommitSeq = seq;
  if (seq <= log.lastCommitSeq) return;
  log.lastSeq = seq;
  log.lastCommitSeq = seq;
  log.lastCommitEpoch = epochAt(arena, address);
}

function placeEntry(parts: Parts, segment: Segment, address: number): void {
  const { arena, slots } = parts;
  const slot = slotAt(arena.words, address);
  claimSlot(parts, segment, address, slot);
  const before = slots.address(slot);
  if (before === 0 || isNewer(arena, address, before)) slots.move(slot, address);
}

/** Makes sure that the slot exists and belongs to the schema of the entry. */
function claimSlot(parts: Parts, segment: Segment, address: number, slot: number): void {
  const { arena, slots } = parts;
  const schemaId = schemaIdAt(arena.words, address);
  if (slot >= arena.slotPool.pages * PAGE_SLOTS)
    throw damagedAt(parts, segment, address, `slot ${slot} is beyond what the store can hold`);
  const owner = slots.claim(slot, schemaId);
  if (owner === schemaId) return;
  throw damagedAt(parts, segment, address, `slot ${slot} of schema ${schemaId} is on a page of schema ${owner}`);
}

/** True if the version at `address` is above that at `before`. */
function isNewer(memory: EntryMemory, address: number, before: number): boolean {
  if (versionWordAt(memory, address) === versionWordAt(memory, before))
    return memory.words[address + 3]! > memory.words[before + 3]!;
  const epoch = epochAt(memory, address);
  const epochBefore = epochAt(memory, before);
  return epoch === epochBefore ? seqAt(memory, address) > seqAt(memory, before) : epoch > epochBefore;
}

function placeDefinition(parts: Parts, segment: Segment, address: number): void {
  const { arena, definitions, schemas } = parts;
  const start = bodyStartAt(arena.words, address);
  const body = arena.bytes.slice(start, start + bodyBytesAt(arena.words, address));
  const schema = decodeDefinition(body, (cause) =>
    damagedAt(parts, segment, address, 'a schema definition cannot be read', cause),
  );
  const before = definitions.get(schema.id);
  if (before !== undefined && before.revision >= schema.revision) return;
  definitions.set(schema.id, { address, revision: schema.revision });
  schemas.add(schema);
}

/** Damage at an entry of a recovered segment. */
export function damagedAt({ log }: Parts, segment: Segment, address: number, why: string, cause?: unknown): NiobeError {
  const offset = (address - segment.startAddress) * WORD_BYTES;
  return damaged(log.partition, segment.number, offset, why, cause);
}
