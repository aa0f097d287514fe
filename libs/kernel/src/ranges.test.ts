import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareRanges, copyRange, sameRange } from './ranges.ts';

const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });

describe('ranges of bytes', () => {
  it('are copied whole, and nothing beside them', () => {
    fc.assert(
      fc.property(bytes, fc.nat(300), fc.nat(300), (source, a, b) => {
        const [start, end] = [Math.min(a, b, source.length), Math.min(Math.max(a, b), source.length)];
        const out = new Uint8Array(400).fill(0xaa);
        expect(copyRange(source, start, end, out, 7)).toBe(7 + end - start);
        const expected = new Uint8Array(400).fill(0xaa);
        expected.set(source.subarray(start, end), 7);
        expect(Buffer.compare(out, expected)).toBe(0);
      }),
    );
  });

  it('are the same, or not for one byte anywhere', () => {
    fc.assert(
      fc.property(bytes, fc.nat(9), fc.nat(9), fc.nat(300), (source, aAt, bAt, changed) => {
        const [a, b] = [new Uint8Array(310), new Uint8Array(310)];
        a.set(source, aAt);
        b.set(source, bAt);
        expect(sameRange(a, aAt, b, bAt, source.length)).toBe(true);
        if (changed >= source.length) return;
        b[bAt + changed]! ^= 0x40;
        expect(sameRange(a, aAt, b, bAt, source.length)).toBe(false);
      }),
    );
  });

  it('compare as the platform does', () => {
    const short = fc.uint8Array({ maxLength: 4, max: 2 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(Math.sign(compareRanges(a, 0, a.length, b, 0, b.length))).toBe(Buffer.compare(a, b));
        const shared = Math.min(a.length, b.length);
        const same = Buffer.compare(a.subarray(0, shared), b.subarray(0, shared)) === 0;
        expect(sameRange(a, 0, b, 0, shared)).toBe(same);
      }),
    );
  });
});
