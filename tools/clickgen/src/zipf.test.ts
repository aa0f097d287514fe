import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '@niobe/kernel';
import { Zipf } from './zipf.ts';

describe('Zipf', () => {
  it('draws ranks within its range, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.nat(),
        (n, s, seed) => {
          const draw = (): number[] => {
            const random = seededRandom(seed);
            const zipf = new Zipf(n, s);
            return Array.from({ length: 50 }, () => zipf.draw(random));
          };
          const ranks = draw();
          expect(ranks.every((rank) => Number.isInteger(rank) && rank >= 0 && rank < n)).toBe(true);
          expect(draw()).toEqual(ranks);
        },
      ),
    );
  });

  it('draws each rank as often as the law says', () => {
    const ranks = 10;
    const draws = 200_000;
    const harmonic = Array.from({ length: ranks }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b);
    const counts = Array.from({ length: ranks }, () => 0);
    const zipf = new Zipf(ranks, 1);
    const random = seededRandom(7);
    for (let i = 0; i < draws; i++) counts[zipf.draw(random)]! += 1;
    counts.forEach((count, rank) => {
      const expected = draws / (rank + 1) / harmonic;
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected));
    });
  });
});
