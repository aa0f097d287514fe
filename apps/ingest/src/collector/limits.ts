import { EVENT_BYTES_LIMIT } from '@niobe/events';

/** Every bound of the collector. What waits is also shown as a gauge beside its bound. */

/** Body of `POST /v1/events`. */
export const EVENT_BODY_BYTES_LIMIT: number = EVENT_BYTES_LIMIT;
/** Body of `POST /v1/batch`. */
export const BATCH_BODY_BYTES_LIMIT: number = 1024 * 1024;
/** Events of one batch. */
export const BATCH_EVENTS_LIMIT = 1000;
/** Bodies that are arriving or whose answer is awaited, all together. */
export const BODIES_BYTES_LIMIT: number = 64 * 1024 * 1024;
/** Records that wait for the log's acknowledgement, all together. */
export const QUEUE_BYTES_LIMIT: number = 16 * 1024 * 1024;
/** Records of one write to the log; far enough below a broker's 1 MiB for what it adds. */
export const WRITE_BYTES_LIMIT: number = 512 * 1024;
/** Records wait so long for others to be written with. */
export const LINGER_MS = 4;
/** An event that is not acknowledged by then is answered with 503. */
export const ACKNOWLEDGE_DEADLINE_MS = 10_000;
/** Pause that a refused client is asked to make. */
export const RETRY_AFTER_MS = 1000;

/** Open connections, idle ones of browsers and devices above all; more are closed as they come. */
export const CONNECTIONS_MAX = 12_000;
