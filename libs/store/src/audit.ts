import type { CompiledSchema } from '@niobe/cells';
import { assert } from '@niobe/kernel';
import { entryBytesAt, keyBytesAt, keyStartAt, KIND, kindAt, schemaIdAt, slotAt } from './entry.ts';
import type { Parts } from './parts.ts';
import type { Segment } from './segment.ts';
import { validPrefix } from './valid-prefix.ts';

/**
 * Asserts what must hold between batches: every segment checks from start to end; every slot points to an entry of its own; every cell
 * with a key is found by it, and the index holds no others; secondary indexes hold what the cells say; live bytes are what slots and
 * definitions point to.
 */
export function auditPartition(parts: Parts): void {
  const live = new Map<Segment, number>();
  const count = (address: number): void => {
    const segment = parts.arena.segmentOf(address);
    assert(address >= segment.startAddress && address < segment.endAddress, 'a live entry lies in what is committed');
    live.set(segment, (live.get(segment) ?? 0) + entryBytesAt(parts.arena.words, address));
  };
  let cells = 0;
  let keys = 0;
  for (let slot = 0; slot < parts.slots.limit; slot++) {
    const address = parts.slots.address(slot);
    if (address === 0) continue;
    count(address);
    const schema = auditSlot(parts, slot, address);
    if (schema === null) continue;
    cells += 1;
    if (schema.isKeyed) keys += 1;
  }
  assert(cells === parts.slots.cells, 'cells are counted');
  assert(keys === parts.index.count, 'the index holds every cell with a key once');
  for (const definition of parts.definitions.values()) count(definition.address);
  for (const segment of parts.log.segments()) {
    assert(segment.liveBytes === (live.get(segment) ?? 0), `live bytes of segment ${segment.number} are counted`);
    const { validBytes, damageAt } = validPrefix(segment.view());
    assert(validBytes === segment.committedBytes && damageAt === null, `segment ${segment.number} checks`);
  }
  parts.indexes.audit();
  parts.arena.report();
}

/** The schema of the slot's cell, null where it has none. */
function auditSlot(parts: Parts, slot: number, address: number): CompiledSchema | null {
  const { bytes, words } = parts.arena;
  assert(slotAt(words, address) === slot, 'a slot points to an entry of its own');
  const schemaId = parts.slots.schemaId(slot);
  assert(schemaIdAt(words, address) === schemaId, 'an entry is of the schema its page belongs to');
  if (kindAt(words, address) === KIND.tombstone) return null;
  assert(kindAt(words, address) === KIND.cell, 'a slot points to a cell or a tombstone');
  const schema = parts.schemas.get(schemaId);
  assert(schema !== undefined, 'the schema of a cell is known');
  const keyAt = keyStartAt(words, address);
  const keyBytes = keyBytesAt(words, address);
  if (schema.isKeyed) {
    const hash = schema.hashKey(bytes, keyAt, keyBytes);
    assert(parts.index.find(hash, schemaId, bytes, keyAt, keyBytes) === slot, 'a cell is found by its key');
  } else {
    assert(keyBytes === 0, 'a cell without key has no bytes of one');
  }
  return schema;
}
