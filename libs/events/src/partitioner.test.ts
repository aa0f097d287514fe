import { describe, expect, it } from '@jest/globals';
import { murmur2, partitionFor } from './partitioner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('partitioner', () => {
  // From the tests of Kafka's Java client (org.apache.kafka.common.utils.UtilsTest#testMurmur2).
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes "%s" as the Java client', (key, hash) => {
    expect(murmur2(bytes(key))).toBe(hash);
  });

  it('clears the sign bit instead of negating', () => {
    expect(partitionFor('foobar', 4)).toBe((-790332482 & 0x7fffffff) % 4);
  });

  it('takes text as its UTF-8', () => {
    for (const key of ['85123A', 'größe', '日本', 'x'.repeat(5000)]) {
      expect(partitionFor(key, 64)).toBe(partitionFor(bytes(key), 64));
    }
  });
});
