import { assert } from '@niobe/kernel';
import type { Arena } from '../arena.ts';
import { KIND, kindAt } from '../entry.ts';
import type { SlotTable } from '../slot-table.ts';
import type { SecondaryIndex } from './secondary-index.ts';

/** Asserts that a complete index has an entry for every value of every cell of its schema, and no others. O(cells log entries). */
export function auditIndex(index: SecondaryIndex, schemaId: number, arena: Arena, slots: SlotTable): void {
  let entries = 0;
  for (let slot = 0; slot < slots.limit; slot++) {
    if (slots.schemaId(slot) !== schemaId || kindAt(arena.words, slots.address(slot)) !== KIND.cell) continue;
    const values = index.valuesOf(slot);
    for (let rank = 0; rank < values.count; rank++) {
      assert(index.has(values, rank, slot), `index ${index.name} has the values of slot ${slot}`);
    }
    entries += values.count;
  }
  assert(entries === index.entries, `index ${index.name} has no other entries`);
}
