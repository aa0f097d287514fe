/**
 * Cell ids: `partition (12 bits) | generation (8) | slot (32)`, 52 bits, so that an id is a plain number. The generation makes the id of
 * a deleted cell one that is not found, rather than another cell's.
 */

const TWO_32 = 0x1_0000_0000;
const GENERATIONS = 0x100;

/** The id of the cell in a slot of a partition. */
export function cellIdOf(partition: number, generation: number, slot: number): number {
  return (partition * GENERATIONS + generation) * TWO_32 + slot;
}

/** The partition in which the cell lives. */
export function partitionOfId(id: number): number {
  return Math.floor(id / (TWO_32 * GENERATIONS));
}

/** How often the slot had been used before, 0 to 255. */
export function generationOfId(id: number): number {
  return (id / TWO_32) & (GENERATIONS - 1);
}

/** The slot within the partition. */
export function slotOfId(id: number): number {
  return id >>> 0;
}

/** True if an id is one of this partition and generation, whatever its slot. Any number may be asked for. */
export function isIdOf(id: number, partition: number, generation: number): boolean {
  return Math.floor(id / TWO_32) === partition * GENERATIONS + generation && Math.floor(id) === id;
}
