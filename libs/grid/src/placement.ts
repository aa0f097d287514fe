import { assert, murmur32 } from '@niobe/kernel';

/** How many partitions there are, how keys are hashed to them, and which shard a partition is given to at first. */

/** Partitions of a new system; a power of two. */
export const PARTITIONS = 64;

/** Name and version of the hash in the facts row; another one refuses to start. */
export const PARTITION_HASH = 'murmur3-x86-32/1';

const encoder = new TextEncoder();

/**
 * The shard with the highest hash of (partition, name): Thaler and Ravishankar's rendezvous hashing (1998). A shard that is added
 * or removed moves only the partitions it wins or loses. O(shards).
 */
export function rendezvousShard(partition: number, shards: readonly string[]): string {
  assert(shards.length > 0, 'a deployment names at least one shard');
  let best = '';
  let bestScore = -1;
  for (const shard of shards) {
    const score = rendezvousScore(partition, shard);
    if (score > bestScore || (score === bestScore && shard < best)) [best, bestScore] = [shard, score];
  }
  return best;
}

function rendezvousScore(partition: number, shard: string): number {
  const bytes = encoder.encode(shard);
  return murmur32(bytes, 0, bytes.length, partition);
}
