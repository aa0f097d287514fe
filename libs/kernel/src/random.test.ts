import { describe, expect, it } from '@jest/globals';
import { randomHex, seededRandom } from './random.ts';

describe('seededRandom', () => {
  it('replays from its seed and differs between seeds', () => {
    const run = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.u32());
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('is uniform enough over 16 buckets and stays below its limit', () => {
    const random = seededRandom(7);
    const counts = new Uint32Array(16);
    for (let i = 0; i < 160_000; i++) counts[random.below(16)]!++;
    expect(Math.max(...counts)).toBeLessThan(10_500);
    expect(Math.min(...counts)).toBeGreaterThan(9_500);
  });

  it('randomHex gives two digits a byte', () => {
    expect(randomHex(seededRandom(3), 8)).toMatch(/^[0-9a-f]{16}$/);
  });
});
