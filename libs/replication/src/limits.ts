/**
 * Bounds of replication and backup. Each is named where something is refused, cut or made to wait.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Longest segment; the store cuts its blocks no larger. */
export const SEGMENT_BYTES_MAX: number = 8 * MiB;

/** Partition numbers have 12 bits. */
export const PARTITIONS_MAX = 4096;

/** Segments that one copy of a partition may have: 128 GiB of the largest, and an inventory that fits in a message. */
export const SEGMENTS_PER_PARTITION_MAX = 16_384;

/** Longest owner name `node@incarnation`, in UTF-8. */
export const OWNER_BYTES_MAX = 128;

/** Longest catalogue. */
export const CATALOGUE_BYTES_MAX: number = MiB;

/** A SHIP frame takes no further bytes once it has this many. */
export const SHIP_FRAME_BYTES: number = MiB;

/** Sections of one SHIP frame. */
export const SECTIONS_PER_FRAME_MAX = 1024;

/** Bytes of one READ. */
export const READ_BYTES_MAX: number = 512 * KiB;

/** Longest request a backup server looks at. */
export const REQUEST_BYTES_MAX: number = SHIP_FRAME_BYTES + CATALOGUE_BYTES_MAX;

/** Request bytes that may wait in a backup server for a round; above it: `BUSY`. */
export const WAITING_BYTES_MAX: number = 64 * MiB;

/** Requests that may wait in a backup server for a round; above it: `BUSY`. */
export const WAITING_REQUESTS_MAX = 16_384;

/** A round takes no further request once it has this many bytes, so that it fits in a journal part. */
export const ROUND_BYTES: number = 4 * MiB;

/** READs that a backup server answers at a time; above it: `BUSY`. */
export const READS_AT_A_TIME = 64;

/** Bytes that a primary may have in flight to one backup server. */
export const WINDOW_BYTES: number = 4 * MiB;

/** Requests that a primary may have in flight to one backup server. */
export const WINDOW_REQUESTS = 64;

/** A primary whose backup server is further behind refuses writes with `BUSY`. */
export const BEHIND_BYTES_MAX: number = 64 * MiB;

/** Writes that may wait for durability in one primary. */
export const WAITERS_MAX = 65_536;

/** Partitions that one primary joins at one backup server at a time. */
export const JOINS_AT_A_TIME = 8;

/** How long a request to a backup server may take, its round included. */
export const REQUEST_DEADLINE_MS = 5_000;

/** How often a primary asks a backup server whether its registrations still hold, so that a restart shows without traffic. */
export const CHECK_MS = 1_000;

/** First and longest pause before a backup server that did not answer is asked again. */
export const BACKOFF_MS: { readonly first: number; readonly most: number } = { first: 25, most: 1_000 };
