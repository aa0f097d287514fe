import type { AcceptedEvent, RecordWriter } from '@niobe/events';
import { isNiobeError, NiobeError, type ErrorCode } from '@niobe/kernel';
import { parseJson, parseJsonText } from '@niobe/service';
import { BATCH_BODY_BYTES_LIMIT, BATCH_EVENTS_LIMIT } from './limits.ts';

/** A batch is judged event by event: one that is wrong keeps no other from being taken. */

/** Why one event of a batch was not taken. */
export interface Rejection {
  /** Its place in the batch, from 0; blank lines of NDJSON do not count. */
  readonly index: number;
  readonly code: ErrorCode;
  /** Where in the event; `$`: the event itself. */
  readonly path: string;
  readonly detail: string;
}

/** A batch after it was judged. */
export interface JudgedBatch {
  readonly accepted: readonly AcceptedEvent[];
  readonly rejected: readonly Rejection[];
}

/** Judges a JSON array. Throws `MALFORMED` with the position, `SCHEMA_VIOLATION` if it is no array, `TOO_LARGE`. */
export function judgeArray(body: Uint8Array, writer: RecordWriter): JudgedBatch {
  const items = parseJson(body);
  if (!Array.isArray(items))
    throw new NiobeError('SCHEMA_VIOLATION', '$: expected a JSON array of events', { path: '$' });
  checkCount(items.length);
  const judge = new Judge(writer);
  for (const item of items) judge.take(() => item as unknown);
  return judge;
}

/** Judges lines of JSON. Throws `MALFORMED` if the body is not UTF-8, `TOO_LARGE`. */
export function judgeLines(body: Uint8Array, writer: RecordWriter): JudgedBatch {
  const lines = decode(body)
    .split('\n')
    .filter((line) => line.trim() !== '');
  checkCount(lines.length);
  const judge = new Judge(writer);
  for (const line of lines) judge.take(() => parseJsonText(line));
  return judge;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decode(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new NiobeError('MALFORMED', 'the body is not valid UTF-8');
  }
}

function checkCount(count: number): void {
  if (count <= BATCH_EVENTS_LIMIT) return;
  throw new NiobeError('TOO_LARGE', `${count} events are more than ${BATCH_EVENTS_LIMIT}; send less at once`, {
    maxEvents: BATCH_EVENTS_LIMIT,
    maxBytes: BATCH_BODY_BYTES_LIMIT,
  });
}

class Judge implements JudgedBatch {
  readonly accepted: AcceptedEvent[] = [];
  readonly rejected: Rejection[] = [];
  readonly #writer: RecordWriter;

  constructor(writer: RecordWriter) {
    this.#writer = writer;
  }

  take(read: () => unknown): void {
    try {
      this.accepted.push(this.#writer.fromJson(read()));
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      const index = this.accepted.length + this.rejected.length;
      const { code, message, details } = error;
      this.rejected.push({ index, code, path: details.path ?? '$', detail: message });
    }
  }
}
