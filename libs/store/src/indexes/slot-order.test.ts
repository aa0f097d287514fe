import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sortSlots } from './slot-order.ts';

describe('slots in order', () => {
  it('are what the sort of typed arrays gives, few or many, of any size', () => {
    const slots = fc.oneof(
      fc.array(fc.nat(5000), { maxLength: 300 }),
      fc.array(fc.nat(3_000_000), { minLength: 256, maxLength: 2000, size: 'max' }),
      fc.array(fc.nat(0xffff_ffff), { minLength: 256, maxLength: 600, size: 'max' }),
    );
    fc.assert(
      fc.property(slots, fc.nat(100), (list, unused) => {
        const given = new Uint32Array(list.length + unused).fill(7);
        given.set(list);
        const sorted = sortSlots(given, list.length, new Uint32Array(given.length));
        expect([...sorted]).toEqual([...Uint32Array.from(list).sort()]);
      }),
    );
  });
});
