import { crc32 as zlibCrc32 } from 'node:zlib';
import { viewOf } from './view.ts';

/**
 * Hashes of bytes. MurmurHash3 is Austin Appleby's, public domain (smhasher): x86-32 spreads keys over partitions and indexes,
 * x86-128 identifies events. Neither resists an adversary. CRC-32 (IEEE 802.3) guards bytes at rest and on the wire.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function finalMix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** MurmurHash3 x86-32 of `bytes[start, end)`; a u32. O(n). */
export function murmur32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const view = viewOf(bytes);
  let h = seed | 0;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    let k = Math.imul(view.getInt32(at, true), C1);
    k = Math.imul((k << 15) | (k >>> 17), C2);
    h ^= k;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  const rest = end - at;
  if (rest > 0) {
    let k = end - start >= 4 ? view.getInt32(end - 4, true) >>> ((4 - rest) << 3) : shortTail(bytes, at, rest);
    k = Math.imul(k, C1);
    h ^= Math.imul((k << 15) | (k >>> 17), C2);
  }
  return finalMix(h ^ (end - start)) >>> 0;
}

/** The last bytes, of which there are 1 to 3, where no whole word comes before them that could be read with them. */
function shortTail(bytes: Uint8Array, at: number, rest: number): number {
  let k = bytes[at]!;
  if (rest > 1) k |= bytes[at + 1]! << 8;
  if (rest > 2) k |= bytes[at + 2]! << 16;
  return k;
}

/** MurmurHash3's finaliser as a mix of one u32: every input bit reaches every output bit. */
export function mix32(value: number): number {
  return finalMix(value | 0) >>> 0;
}

const M1 = 0x239b961b;
const M2 = 0xab0e9789 | 0;
const M3 = 0x38b34ae5;
const M4 = 0xa1e38b93 | 0;

function rotl(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/**
 * MurmurHash3 x86-128 of `bytes[start, end)`, written to `out[outAt, outAt + 4)` as u32. O(n), allocates nothing.
 */
export function murmur128(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  out: Uint32Array,
  outAt = 0,
): void {
  let h1 = seed | 0;
  let h2 = seed | 0;
  let h3 = seed | 0;
  let h4 = seed | 0;
  const length = end - start;
  const word = (at: number): number =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    h1 ^= Math.imul(rotl(Math.imul(word(at), M1), 15), M2);
    h1 = (Math.imul((rotl(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(word(at + 4), M2), 16), M3);
    h2 = (Math.imul((rotl(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(word(at + 8), M3), 17), M4);
    h3 = (Math.imul((rotl(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(word(at + 12), M4), 18), M1);
    h4 = (Math.imul((rotl(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const rest = end - at;
  const tail = (from: number): number => {
    let k = 0;
    for (let i = Math.min(rest, from + 4) - 1; i >= from; i--) k = (k << 8) | bytes[at + i]!;
    return k;
  };
  if (rest > 12) h4 ^= Math.imul(rotl(Math.imul(tail(12), M4), 18), M1);
  if (rest > 8) h3 ^= Math.imul(rotl(Math.imul(tail(8), M3), 17), M4);
  if (rest > 4) h2 ^= Math.imul(rotl(Math.imul(tail(4), M2), 16), M3);
  if (rest > 0) h1 ^= Math.imul(rotl(Math.imul(tail(0), M1), 15), M2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = finalMix((h2 + h1) | 0);
  h3 = finalMix((h3 + h1) | 0);
  h4 = finalMix((h4 + h1) | 0);
  h1 = finalMix(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  out[outAt] = h1;
  out[outAt + 1] = h2 + h1;
  out[outAt + 2] = h3 + h1;
  out[outAt + 3] = h4 + h1;
}

/** CRC-32 of `bytes`, continued from `seed`; a u32. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return zlibCrc32(bytes, seed);
}
