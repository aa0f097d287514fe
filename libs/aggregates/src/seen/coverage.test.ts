import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Coverage } from './coverage.ts';

const range = fc.tuple(fc.nat(60), fc.nat(15)).map(([from, length]) => [from, from + length] as const);

describe('Coverage', () => {
  it('is the union of what was added, above what was dropped', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12, size: 'max' }), fc.nat(40), range, (ranges, floor, [from, to]) => {
        const coverage = new Coverage();
        const covered = new Set<number>();
        for (const [first, end] of ranges) {
          coverage.add(first, end);
          for (let offset = first; offset < end; offset++) covered.add(offset);
        }
        coverage.dropBelow(floor);
        for (let offset = 0; offset < floor; offset++) covered.delete(offset);
        let reach = to;
        while (covered.has(reach - 1)) reach -= 1;
        expect(coverage.reachesBackFrom(to)).toBe(reach);
        expect(coverage.holds(from, to)).toBe(from >= to || reach <= from);
      }),
      { numRuns: 500 },
    );
  });
});
