import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { item, ITEMS, newRig } from '../test/harness.ts';
import { validPrefix } from './valid-prefix.ts';

/** A segment of several batches, with the offset and seq at which each ends. */
function sample(): { bytes: Uint8Array; ends: { offset: number; seq: number }[] } {
  const { subject } = newRig();
  const ends: { offset: number; seq: number }[] = [];
  for (let batch = 0; batch < 12; batch++) {
    const { seq } = subject.batch(() => {
      for (let i = 0; i <= batch % 4; i++) subject.put(ITEMS, `key ${batch}.${i}`, item('x', batch, i * 20));
      if (batch % 3 === 2) subject.delete(ITEMS, `key ${batch - 1}.0`);
    });
    ends.push({ offset: subject.store.segmentBytes(1).length, seq });
  }
  return { bytes: subject.store.segmentBytes(1).slice(), ends };
}

const { bytes, ends } = sample();

describe('validPrefix', () => {
  it('takes a whole segment', () => {
    expect(validPrefix(bytes)).toEqual({
      validBytes: bytes.length,
      lastCommit: { epoch: 1, seq: ends.at(-1)!.seq },
      damageAt: null,
    });
    expect(validPrefix(new Uint8Array(0))).toEqual({ validBytes: 0, lastCommit: { epoch: 0, seq: 0 }, damageAt: null });
  });

  it('finds every flipped bit and keeps the batches before it', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = bytes.slice();
        flipped[bit >>> 3] = flipped[bit >>> 3]! ^ (1 << (bit & 7));
        const good = ends.findLast(({ offset }) => offset <= bit >>> 3) ?? { offset: 0, seq: 0 };
        const { validBytes, lastCommit, damageAt } = validPrefix(flipped);
        expect({ validBytes, damageAt, seq: lastCommit.seq }).toEqual({
          validBytes: good.offset,
          damageAt: good.offset,
          seq: good.seq,
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps the whole batches of a segment that was cut', () => {
    for (let length = 0; length <= bytes.length; length++) {
      const good = ends.findLast(({ offset }) => offset <= length)?.offset ?? 0;
      const { validBytes, damageAt } = validPrefix(bytes.subarray(0, length));
      expect([validBytes, damageAt]).toEqual([good, good === length ? null : good]);
    }
  });

  it('does not take a batch twice, or one out of order', () => {
    const [first, second, third] = [ends[0]!.offset, ends[1]!.offset, ends[2]!.offset];
    const repeated = Buffer.concat([bytes.subarray(0, second), bytes.subarray(first, second)]);
    expect(validPrefix(repeated).validBytes).toBe(second);
    const turned = Buffer.concat([
      bytes.subarray(0, first),
      bytes.subarray(second, third),
      bytes.subarray(first, second),
    ]);
    expect(validPrefix(turned).validBytes).toBe(first + third - second);
  });

  it('takes nothing of random bytes, of zeros, or of the middle of a segment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (random) => expect(validPrefix(random).validBytes).toBe(0)),
    );
    expect(validPrefix(new Uint8Array(1000)).validBytes).toBe(0);
    expect(validPrefix(bytes.subarray(ends[0]!.offset)).validBytes).toBe(0);
  });
});
