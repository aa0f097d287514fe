/** Bounds and sizes of the disk store. Each is named where something waits, is refused or is cut. */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Rounds begin at multiples of this, so that a torn write cannot reach into a round that was acknowledged. */
export const BLOCK_BYTES: number = 4 * KiB;

/** Bytes of a segment file before the bytes of its segment. */
export const SEGMENT_HEADER_BYTES: number = 4 * KiB;

/** Bytes of a journal part before its first round: whole blocks. */
export const PART_HEADER_BYTES: number = 4 * KiB;

/** Length of a journal part. */
export const PART_BYTES: number = 64 * MiB;

/** Journal parts; when all hold bytes that are not in synced segment files, rounds wait. */
export const PARTS_MAX = 4;

/** Length of each of the two buffers that hold rounds until their bytes are in segment files. */
export const ROUND_BUFFER_BYTES: number = 8 * MiB;

/** Segment files that are open at a time. */
export const OPEN_FILES_MAX = 128;

/** Segment files that are written or synced at a time: fewer than Node has threads, so that the journal never waits for all. */
export const FILES_AT_A_TIME = 2;

/** Pieces that go to a segment file in one call. */
export const PIECES_PER_WRITE_MAX = 512;

/** With less free space than this, rounds are refused with `DISK_FULL`: what was taken already still has to be written. */
export const FREE_BYTES_MIN: number = 64 * MiB;

/** A round of no more payload than this is taken from a full disk: it may be what frees space. */
export const CONTROL_ROUND_BYTES: number = 4 * KiB;

/** Pause that a sender is asked to make when the disk is full. */
export const DISK_FULL_RETRY_MS = 1_000;

/** Longest manifest: 16 million segments. */
export const MANIFEST_BYTES_MAX: number = 256 * MiB;

/** Damage that is reported one by one; the rest is counted. */
export const DAMAGE_REPORTS_MAX = 1_000;
