import { CELL_BYTES_MAX } from '@niobe/cells';
import { EDGE_CHUNK_IDS_MAX } from './system-schemas.ts';

/**
 * Bounds of the wire. Every queue, frame and message between services is held by one of these; who is refused gets `BUSY` or `TOO_LARGE`.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** A frame takes no further item once it has this many bytes. */
export const FRAME_BYTES: number = MiB;

/** Longest request frame: a full one, the cell that filled it, and the headers of both. */
export const FRAME_BYTES_MAX: number = FRAME_BYTES + CELL_BYTES_MAX + 4 * KiB;

/** Sections of one frame; with {@link REFUSAL_CHARS_MAX} it bounds what a reply full of errors takes. */
export const SECTIONS_PER_FRAME_MAX = 1024;

/** Keys of one GET frame. */
export const KEYS_PER_FRAME_MAX = 16_384;

/** Neighbours that one LINK operation adds: as many as one chunk of an adjacency holds. */
export const LINK_IDS_MAX: number = EDGE_CHUNK_IDS_MAX;

/** Longest message of an error on the wire; longer ones are cut. */
export const REFUSAL_CHARS_MAX = 400;

/** Longest reply frame: a full one, the cell that filled it, and a refusal for every section. */
export const REPLY_BYTES_MAX: number =
  FRAME_BYTES + CELL_BYTES_MAX + SECTIONS_PER_FRAME_MAX * (REFUSAL_CHARS_MAX + 112);

/** Longest message a bus carries, whole or cut in parts. */
export const MESSAGE_BYTES_MAX: number = 8 * MiB;

/** Requests one sender may have in flight to one receiver. */
export const WINDOW_REQUESTS = 64;

/** Bytes one sender may have in flight to one receiver. */
export const WINDOW_BYTES: number = 4 * MiB;

/** Bytes that may wait for one receiver's window; above it the caller gets `BUSY`. */
export const WAITING_BYTES_MAX: number = 64 * MiB;

/** Frames that may wait for one receiver's window. */
export const WAITING_FRAMES_MAX = 65_536;

/** Requests one bus may have in flight to all receivers. */
export const REQUESTS_IN_FLIGHT_MAX = 16_384;

/** Longest value of a shared map, as JSON. */
export const MAP_VALUE_BYTES_MAX: number = 512 * KiB;

/** Longest key of a shared map, in UTF-8. */
export const MAP_KEY_BYTES_MAX = 200;
