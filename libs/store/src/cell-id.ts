/**
 * Cell ids: `partition (12 bits) | generation (8) | slot (32)`, 52 bits, so that an id is a plain number. The generation makes the id of
 * a deleted cell one that is not found, rather than another cell's.
 */

const TWO_32 = 0x1_0000_0000;
const GENERATIONS = 0x100;

export function cellIdOf(partition: number, generation: number, slot: number): number {
  return (partition * GENERATIONS + generation) * TWO_32 + slot;
}

export function partitionOf(id: number): number {
  return Math.floor(id / (TWO_32 * GENERATIONS));
}

export function generationOf(id: number): number {
  return Math.floor(id / TWO_32) % GENERATIONS;
}

export function slotOf(id: number): number {
  return id % TWO_32;
}
