import { GRAIN_SHIFT, HEADER_BYTES, WORD_BYTES } from './entry.ts';

/** Bounds of the store, each with its reason. */

/** A block of the arena: the largest segment. */
export const BLOCK_BYTES: number = 8 * 1024 * 1024;
/** The smallest segment; also the grain in which an address finds its segment. */
export const SEGMENT_BYTES_MIN: number = WORD_BYTES << GRAIN_SHIFT;
/** A batch with its commit. A segment of one block always holds it. */
export const BATCH_BYTES_MAX: number = 4 * 1024 * 1024;
/** Entries of a batch, its commit included. */
export const BATCH_ENTRIES_MAX: number = BATCH_BYTES_MAX / HEADER_BYTES;
/** Blocks that only the cleaner may use, where the arena is large enough. */
export const RESERVE_BLOCKS = 2;
/** A small arena keeps no more than this share of itself in reserve. */
export const RESERVE_SHARE: number = 1 / 16;
/** A partition's next head is this share of its live bytes, so that many small partitions do not hold half-empty blocks, ... */
export const HEAD_SHARE: number = 1 / 32;
/** ... and this share of the arena: what lies free in an open segment is missing elsewhere, and a victim is in memory twice. */
export const SEGMENT_SHARE: number = 1 / 256;
/** Epochs are below this. */
export const EPOCH_LIMIT: number = 2 ** 20;
/** Sequence numbers are below this: 200 days of 10^6 entries a second in one partition. */
export const SEQ_LIMIT: number = 2 ** 44;
/** Partitions are numbered below this. */
export const PARTITION_LIMIT: number = 2 ** 12;
/** Version of the format of segments; see FORMAT.md. */
export const SEGMENT_FORMAT = 2;
/** How long a refused writer waits before it tries again, in milliseconds. */
export const STORE_FULL_RETRY_MS = 250;
