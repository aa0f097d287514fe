import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alignedParts, BuddyAllocator } from './buddy.ts';

const TOP_ORDER = 5;
const BLOCKS = 4;

describe('the buddy allocator', () => {
  it('never gives a grain twice, and joins everything again', () => {
    const steps = fc.array(fc.record({ order: fc.nat(TOP_ORDER), give: fc.boolean(), which: fc.nat() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (sequence) => {
        const buddy = new BuddyAllocator(BLOCKS, TOP_ORDER);
        const taken: { grain: number; order: number }[] = [];
        const used = new Uint8Array(BLOCKS << TOP_ORDER);
        for (const { order, give, which } of sequence) {
          if (give && taken.length > 0) {
            const [part] = taken.splice(which % taken.length, 1);
            buddy.give(part!.grain, part!.order);
            used.fill(0, part!.grain, part!.grain + (1 << part!.order));
            continue;
          }
          const grain = buddy.take(order);
          if (grain < 0) continue;
          expect(grain % (1 << order)).toBe(0);
          expect(used.subarray(grain, grain + (1 << order)).every((grainUsed) => grainUsed === 0)).toBe(true);
          used.fill(1, grain, grain + (1 << order));
          taken.push({ grain, order });
          expect(buddy.freeGrains).toBe(used.filter((grainUsed) => grainUsed === 0).length);
        }
        for (const part of taken) buddy.give(part.grain, part.order);
        for (let block = 0; block < BLOCKS; block++) expect(buddy.take(TOP_ORDER)).toBeGreaterThanOrEqual(0);
        expect(buddy.take(0)).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps whole blocks whole where a smaller part fits', () => {
    const buddy = new BuddyAllocator(2, TOP_ORDER);
    buddy.take(0);
    for (let i = 1; i < 1 << TOP_ORDER; i++) expect(buddy.take(0)).toBeLessThan(1 << TOP_ORDER);
    expect(buddy.take(TOP_ORDER)).toBe(1 << TOP_ORDER);
  });

  it('takes the free parts inside a part, and has it again once all came back', () => {
    const buddy = new BuddyAllocator(1, 3);
    const grains = Array.from({ length: 8 }, () => buddy.take(0));
    for (const grain of [0, 2, 4, 5, 6]) buddy.give(grain, 0);
    expect(buddy.has(2)).toBe(false);
    expect(buddy.takeWithin(4, 2)).toEqual(
      expect.arrayContaining([
        { grain: 4, order: 1 },
        { grain: 6, order: 0 },
      ]),
    );
    expect(buddy.freeGrains).toBe(2);
    expect(buddy.take(0)).toBe(0);
    for (const grain of [4, 5, 6, 7]) buddy.give(grains[grain]!, 0);
    expect(buddy.has(2)).toBe(true);
  });

  it('divides grains into the fewest aligned parts', () => {
    expect(alignedParts(5, 16)).toEqual([
      { grain: 5, order: 0 },
      { grain: 6, order: 1 },
      { grain: 8, order: 3 },
    ]);
    expect(alignedParts(8, 13)).toEqual([
      { grain: 8, order: 2 },
      { grain: 12, order: 0 },
    ]);
    expect(alignedParts(3, 3)).toEqual([]);
  });

  it('refuses to take a part back twice', () => {
    const buddy = new BuddyAllocator(1, TOP_ORDER);
    const grain = buddy.take(2);
    buddy.take(2);
    buddy.give(grain, 2);
    expect(() => buddy.give(grain, 2)).toThrow(/once/);
  });
});
