import { createRequire } from 'node:module';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CODECS, INFLATED_BYTES_LIMIT } from './codecs.ts';
import { decodeSnappy } from './snappy-framing.ts';

interface Compressor {
  compress(bytes: Uint8Array): Uint8Array;
}

const require = createRequire(import.meta.url);
const lz4 = require('lz4js') as Compressor;
const snappy = require('snappyjs') as Compressor;

/** As snappy-java frames it, in blocks of 32 KiB. */
function frameSnappy(bytes: Uint8Array): Buffer {
  const parts = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length; at += 32_768) {
    const block = Buffer.from(snappy.compress(bytes.subarray(at, at + 32_768)));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const cases = [
  ['zstd', CODECS.zstd, zstdCompressSync, /prefix|descriptor/],
  ['snappy in one block', CODECS.snappy, (bytes: Uint8Array) => snappy.compress(bytes), /Invalid Snappy/],
  ['framed snappy', CODECS.snappy, frameSnappy, /Invalid Snappy/],
  ['lz4', CODECS.lz4, (bytes: Uint8Array) => Uint8Array.from(lz4.compress(bytes)), /magic number/],
] as const;

describe.each(cases)('%s', (_name, codec, compress, refusal) => {
  it('is read', async () => {
    const part = fc.uint8Array({ minLength: 1, maxLength: 20 });
    const repeated = fc.tuple(part, fc.integer({ min: 1, max: 8000 }));
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((all) => Buffer.from(all)),
      repeated.map(([one, times]) => Buffer.concat(Array<Uint8Array>(times).fill(one))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (original) => {
        const inflated = await codec.decompress(Buffer.from(compress(original)));
        expect(inflated.equals(original)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what is something else', async () => {
    await expect(codec.decompress(Buffer.from('no such thing as this'))).rejects.toThrow(refusal);
  });
});

describe('bounds', () => {
  it('stop what would become too large', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(INFLATED_BYTES_LIMIT + 1));
    await expect(CODECS.zstd.decompress(bomb)).rejects.toThrow('larger than');
    const block = Buffer.from(snappy.compress(Buffer.alloc(1000)));
    expect(() => decodeSnappy(block, 999)).toThrow('too big');
    expect(() => decodeSnappy(frameSnappy(Buffer.alloc(70_000)), 69_999)).toThrow('too big');
  });

  it('refuse blocks of snappy that end beyond the bytes', () => {
    const framed = frameSnappy(Buffer.from('hello'));
    expect(() => decodeSnappy(framed.subarray(0, framed.length - 1), 1000)).toThrow('a snappy block of 7 bytes');
    framed.writeInt32BE(-1, 16);
    expect(() => decodeSnappy(framed, 1000)).toThrow('a snappy block of -1 bytes');
  });
});
