import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBucketKey, toBucketKey } from './bucket-key.ts';

describe('bucket keys', () => {
  it('give back every key, and are what NATS takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        const bucketKey = toBucketKey(key);
        expect(bucketKey).toMatch(/^[-/=\w]+$/);
        expect(fromBucketKey(bucketKey)).toBe(key);
      }),
    );
  });

  it('stay readable where they can', () => {
    expect(toBucketKey('cube/views@1/0')).toBe('cube/views=401/0');
    expect(toBucketKey('63')).toBe('63');
  });
});
