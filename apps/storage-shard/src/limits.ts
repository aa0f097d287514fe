/**
 * Bounds of a shard. Whoever is refused by one of these gets `BUSY` with a pause, and the gauge beside it shows how close it is.
 */

const MiB = 1024 * 1024;

/** Bytes of requests that wait for the thread (`niobe_storage_shard_queue_bytes`). */
export const QUEUE_BYTES_MAX: number = 64 * MiB;

/** Requests that wait for the thread. */
export const QUEUE_REQUESTS_MAX = 16_384;

/** What a waiting request costs besides its payload. */
export const REQUEST_OVERHEAD_BYTES = 512;

/** Requests that were executed and wait for the backups before they are answered. */
export const UNANSWERED_MAX = 16_384;

/** Scans that wait for their turn or are under way; one runs at a time. */
export const SCANS_MAX = 256;

/** Memory reports that wait for their turn; one is made at a time. */
export const SURVEYS_MAX = 16;

/** Requests are executed this long before the loop serves sockets and timers again. */
export const REQUEST_SLICE_MS = 4;

/** A scan holds the thread this long at once. */
export const SCAN_SLICE_MS = 3;

/** A memory report holds the thread this long at once. */
export const SURVEY_SLICE_MS = 2;

/** The cleaner holds the thread this long at once, and this long when memory runs short. */
export const CLEANER_SLICE_MS = 1;
export const CLEANER_HARD_SLICE_MS = 6;

/** Building indexes holds the thread this long at once; whether there are any to build is looked at after such a pause. */
export const INDEX_SLICE_MS = 1;
export const INDEX_LOOK_MS = 200;

/** Pause between two looks of the cleaner when no request comes: expired cells, retired segments. */
export const CLEANER_IDLE_MS = 200;

/** Partitions that are recovered at the same time. */
export const RECOVERIES_AT_ONCE = 4;

/** Pause that a refused caller is told. */
export const BUSY_RETRY_MS = 50;
/** Pause when the shard itself waits for somebody else: a backup, the schema catalogue. */
export const AWAY_RETRY_MS = 200;

/** Longest wait for the backups on behalf of a request, whatever its own deadline. */
export const DURABLE_WAIT_MS = 10_000;

/** An arena up to this size has its pages from the start; a larger one gets them as its log grows. */
export const ARENA_TOUCHED_BYTES_MAX: number = 256 * 1024 * 1024;
