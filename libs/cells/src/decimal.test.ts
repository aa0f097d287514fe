import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDecimal, parseDecimal } from './decimal.ts';

const VIOLATION: unknown = expect.objectContaining({ code: 'SCHEMA_VIOLATION' });

describe('decimals', () => {
  it('are written with exactly their scale and read back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(9), (scaled, scale) => {
        const text = formatDecimal(scaled, scale);
        expect(text).toMatch(scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`));
        expect(BigInt(parseDecimal(text, scale))).toBe(scaled);
      }),
    );
  });

  it('are numbers while that is exact', () => {
    expect(parseDecimal('9007199254740.991', 3)).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseDecimal('9007199254740.992', 3)).toBe(9007199254740992n);
  });

  it.each<[string | number, number, number]>([
    ['2.55', 3, 2550],
    ['-0.001', 3, -1],
    ['+7', 2, 700],
    ['007.50', 2, 750],
    ['-0', 2, 0],
    [2.55, 3, 2550],
    [-0, 2, 0],
    [1e-7, 9, 100],
    [1.5e-7, 9, 150],
    [123456789012345, 0, 123456789012345],
    [0.1, 1, 1],
    [1e15, 0, 1e15],
  ])('reads %p with scale %d', (value, scale, scaled) => {
    expect(parseDecimal(value, scale)).toBe(scaled);
  });

  it.each<[string | number, number]>([
    ['1.234', 2],
    ['1.230', 2],
    ['', 2],
    ['.', 2],
    ['.5', 2],
    ['5.', 2],
    ['-', 2],
    ['1e3', 2],
    ['1,5', 2],
    [' 1', 2],
    ['1.2.3', 2],
    ['٣', 2],
    ['1'.repeat(65), 0],
    ['9223372036854775808', 0],
    ['-9223372036854775809', 0],
    ['9223372036854775807', 1],
    [0.1 + 0.2, 9],
    [1234567890123456, 0],
    [1e300, 0],
    [5e-324, 9],
    [NaN, 2],
    [Infinity, 2],
  ])('refuses %p with scale %d', (value, scale) => {
    expect(() => parseDecimal(value, scale)).toThrow(VIOLATION);
  });
});
