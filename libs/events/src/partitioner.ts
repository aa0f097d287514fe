/**
 * The partitioner of Kafka's Java clients for records with a key, so that all producers of a topic agree: murmur2 (Austin Appleby,
 * public domain) with Kafka's seed, its sign bit cleared, modulo the number of partitions.
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const KEY_SCRATCH_BYTES = 4096;

const encoder = new TextEncoder();
const scratch = new Uint8Array(KEY_SCRATCH_BYTES);

/** MurmurHash2 of `bytes[0, length)` with Kafka's seed; an i32. O(n). */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  let h = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  if (at < length) {
    for (let i = length - 1; i >= at; i--) h ^= bytes[i]! << (8 * (i - at));
    h = Math.imul(h, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** Partition of a record with this key. Text is hashed as UTF-8. O(n). */
export function partitionFor(key: Uint8Array | string, partitions: number): number {
  return (hashOf(key) & 0x7fff_ffff) % partitions;
}

function hashOf(key: Uint8Array | string): number {
  if (typeof key !== 'string') return murmur2(key);
  if (key.length * 3 > KEY_SCRATCH_BYTES) return murmur2(encoder.encode(key));
  return murmur2(scratch, encoder.encodeInto(key, scratch).written);
}
