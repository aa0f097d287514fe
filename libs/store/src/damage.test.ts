import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@niobe/kernel';
import { BYTE_READERS, DamageTrials, garbage, refuses } from '@niobe/testing';
import { item, ITEMS, newRig } from '../test/harness.ts';

/** What changed or cut bytes lead to: see `DamagedLog`. `npm run check -- store-damage` is the same at length. */

const FLIPS = 150;
const CUTS = 60;
const GARBAGE = 300;

describe('damage of a log', () => {
  const trials = new DamageTrials(1);

  it('of a bit is told by segment and offset below the durable length, and is a cut tail above it', () => {
    const { damage, cut } = trials.flipBits(FLIPS);
    expect(damage + cut).toBe(FLIPS);
    expect(Math.min(damage, cut)).toBeGreaterThan(0);
  }, 120_000);

  it('by cutting is told so too', () => {
    const { damage, cut } = trials.cut(CUTS);
    expect(damage + cut).toBe(CUTS);
    expect(Math.min(damage, cut)).toBeGreaterThan(0);
  }, 120_000);
});

describe('bytes without sense', () => {
  const { subject, backup } = newRig();
  subject.batch(() => subject.put(ITEMS, 'a', item('x', 1, 100)));
  backup.ship();
  const known = backup.segments().map(({ bytes }) => bytes);

  it.each(Object.entries(BYTE_READERS))('as %s are refused or read, and nothing else', (_what, read) => {
    const random = seededRandom(7);
    let refused = 0;
    for (let i = 0; i < GARBAGE; i++) refused += refuses(read, garbage(random, known)) ? 1 : 0;
    expect(refused).toBeLessThanOrEqual(GARBAGE);
  });
});
