import type { NiobeError } from '@niobe/kernel';
import type { OutgoingRecord, RecordBatch, RecordBytes } from './event-log.ts';

/**
 * A dead letter: a record that is no valid event, kept with the reason so that it can be looked at and sent again. Its key is the
 * position it came from, so one written twice is recognised.
 */

/** Bound of a dead letter's value; a broker takes 1 MiB with everything. */
const VALUE_BYTES_LIMIT = 900 * 1024;
/** Bound of the headers that are carried over, all together. */
const HEADER_BYTES_LIMIT = 32 * 1024;
/** Bound of the text of the reason. */
const REASON_LIMIT = 512;

/** The dead letter of record `index` of `batch`, which `error` refused. */
export function deadLetter(batch: RecordBatch, index: number, error: NiobeError): OutgoingRecord {
  const offset = batch.offsets[index]!;
  const value = batch.values[index]!;
  const headers: Record<string, RecordBytes> = {
    ...carriedHeaders(batch, index),
    dead_code: error.code,
    dead_reason: error.message.slice(0, REASON_LIMIT),
    dead_topic: batch.topic,
    dead_partition: String(batch.partition),
    dead_offset: String(offset),
    dead_timestamp: String(batch.timestamps[index]!),
  };
  if (error.details.path !== undefined) headers.dead_path = error.details.path;
  if (value === null || value.length <= VALUE_BYTES_LIMIT) return { key: keyOf(batch, offset), value, headers };
  headers.dead_value_bytes = String(value.length);
  return { key: keyOf(batch, offset), value: value.subarray(0, VALUE_BYTES_LIMIT), headers };
}

function keyOf(batch: RecordBatch, offset: number): string {
  return `${batch.topic}/${batch.partition}/${offset}`;
}

/** The record's own headers and key, as long as they fit. */
function carriedHeaders(batch: RecordBatch, index: number): Record<string, RecordBytes> {
  const carried: Record<string, RecordBytes> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(batch.headers[index]!)) {
    bytes += name.length + value.length;
    if (bytes > HEADER_BYTES_LIMIT) return carried;
    carried[name] = value;
  }
  const key = batch.keys[index]!;
  if (key !== null && bytes + key.length <= HEADER_BYTES_LIMIT) carried.dead_key = key;
  return carried;
}
