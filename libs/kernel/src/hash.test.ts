import { describe, expect, it } from '@jest/globals';
import { crc32, mix32, murmur128, murmur32 } from './hash.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('murmur32', () => {
  // Published vectors of MurmurHash3 x86-32.
  it.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
  ])('%j with seed %i', (text, seed, hash) => {
    const bytes = utf8(text);
    expect(murmur32(bytes, 0, bytes.length, seed)).toBe(hash);
  });

  it('reads only the range it was given', () => {
    const bytes = utf8('xxtestyy');
    expect(murmur32(bytes, 2, 6)).toBe(0xba6bd213);
  });
});

describe('murmur128', () => {
  const hex = (text: string, seed = 0): string => {
    const out = new Uint32Array(4);
    const bytes = utf8(text);
    murmur128(bytes, 0, bytes.length, seed, out);
    return [...out].map((word) => word.toString(16).padStart(8, '0')).join('');
  };

  // Values of the C++ reference, as its Python binding prints them.
  it.each([
    ['', 0, '00000000000000000000000000000000'],
    ['', 1, '88c4adec54d201b954d201b954d201b9'],
    ['abc', 0, '75cdc6d1a2b006a5a2b006a5a2b006a5'],
    ['0123456789abcde', 7, 'f38f965405a170708d3fa819d8048fc2'],
    ['I will not buy this record, it is scratched.', 0, 'a0a9683b25ac5e40d9af2895890dddf5'],
    ['The quick brown fox jumps over the lazy dog', 42, 'b0c69c19b1fd95c704c746bdb64fcfec'],
  ])('%j with seed %i', (text, seed, hash) => {
    expect(hex(text, seed)).toBe(hash);
  });

  it('depends on every byte and on the length', () => {
    const seen = new Set<string>();
    for (let length = 0; length <= 40; length++) seen.add(hex('a'.repeat(length)));
    for (let at = 0; at < 40; at++) seen.add(hex(`${'a'.repeat(at)}b${'a'.repeat(39 - at)}`));
    expect(seen.size).toBe(81);
  });
});

describe('mix32 and crc32', () => {
  it('spreads sequential integers over 64 partitions evenly', () => {
    const counts = new Uint32Array(64);
    for (let i = 0; i < 64_000; i++) counts[mix32(i) & 63]!++;
    expect(Math.max(...counts)).toBeLessThan(1_200);
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });

  it('crc32 is the IEEE one and continues from a seed', () => {
    expect(crc32(utf8('123456789'))).toBe(0xcbf43926);
    expect(crc32(utf8('6789'), crc32(utf8('12345')))).toBe(0xcbf43926);
  });
});
