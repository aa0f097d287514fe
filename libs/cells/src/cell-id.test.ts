import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cellIdOf, generationOfId, isIdOf, partitionOfId, slotOfId } from './cell-id.ts';
import { CELL_ID_LIMIT } from './types.ts';

describe('cell ids', () => {
  it('are safe integers that give back what they are made of', () => {
    fc.assert(
      fc.property(fc.nat(4095), fc.nat(255), fc.nat({ max: 0xffff_ffff }), (partition, generation, slot) => {
        const id = cellIdOf(partition, generation, slot);
        expect(Number.isSafeInteger(id) && id < CELL_ID_LIMIT).toBe(true);
        expect([partitionOfId(id), generationOfId(id), slotOfId(id)]).toEqual([partition, generation, slot]);
      }),
    );
  });

  it('fill their 52 bits', () => {
    expect(cellIdOf(4095, 255, 0xffff_ffff)).toBe(CELL_ID_LIMIT - 1);
    expect(cellIdOf(0, 0, 0)).toBe(0);
    expect(cellIdOf(3, 2, 1)).toBe(3 * 2 ** 40 + 2 * 2 ** 32 + 1);
  });

  it('know their partition and generation, and no other number is taken for one', () => {
    const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.double({ min: 0, max: 2 ** 53 }), fc.constant(2 ** 64));
    fc.assert(
      fc.property(fc.nat(4095), fc.nat(255), anyNumber, (partition, generation, id) => {
        const expected = cellIdOf(partition, generation, slotOfId(id)) === id;
        expect(isIdOf(id, partition, generation)).toBe(expected);
        expect(isIdOf(cellIdOf(partition, generation, slotOfId(id)), partition, generation)).toBe(true);
      }),
    );
  });
});
