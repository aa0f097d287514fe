import { NiobeError, type Clock, type Random } from '@niobe/kernel';
import {
  readBinaryEnvelope,
  readEnvelope,
  SPEC_VERSION,
  DEFAULT_SOURCE,
  type Envelope,
  type HttpHeaders,
} from './cloud-event.ts';
import type { EventCatalogue } from './event-catalogue.ts';
import { newEventId } from './event-id.ts';
import type { OutgoingRecord, RecordBytes } from './event-log.ts';
import { checkTime } from './event-window.ts';
import { readTimestamp, type EventValue } from './field-reader.ts';
import type { EventType } from './event-type.ts';

/**
 * From an event at the edge to the record that goes to its topic. Valid data is written again from what was parsed, because that is
 * cheaper than finding its bytes in the request; in binary mode the body is the value as it came.
 */

/** UTF-8 bytes of one event: data, identity and attributes. */
export const EVENT_BYTES_LIMIT: number = 64 * 1024;
/** What a record costs beside its own bytes, generously. */
const RECORD_OVERHEAD_BYTES = 128;

/** An event that will be taken as soon as the log has `record`. */
export interface AcceptedEvent {
  readonly id: string;
  readonly topic: string;
  readonly record: OutgoingRecord;
  /** What the record counts in a bounded queue. */
  readonly bytes: number;
}

/** Turns what producers send into records. */
export class RecordWriter {
  readonly #catalogue: EventCatalogue;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #values: EventValue[] = [];
  #arrivalMs = NaN;
  #arrivalText = '';

  constructor(catalogue: EventCatalogue, clock: Clock, random: Random) {
    this.#catalogue = catalogue;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Takes a parsed JSON value: a plain event or a structured CloudEvent. Throws `SCHEMA_VIOLATION`, `UNKNOWN_EVENT_TYPE`,
   * `TIME_IN_FUTURE` with the path, `TOO_LARGE`.
   */
  fromJson(json: unknown): AcceptedEvent {
    return this.#accept(readEnvelope(json), null);
  }

  /** Takes an event in CloudEvents binary mode: `body` is the text of its data, `data` the same parsed. Throws like {@link fromJson}. */
  fromBinary(headers: HttpHeaders, body: string, data: unknown): AcceptedEvent {
    return this.#accept(readBinaryEnvelope(headers, data), body);
  }

  #accept(envelope: Envelope, body: string | null): AcceptedEvent {
    const type = this.#catalogue.type(envelope.type);
    const time = this.#timeText(envelope.time);
    type.read(envelope.data, this.#values, 'refuse', 'data');
    const id = envelope.id ?? newEventId(this.#clock, this.#random);
    const key = type.keyOf(this.#values, id);
    const flat = this.#catalogue.topic(type.topic).records === 'flat';
    const record = flat ? flatRecord(envelope, id, key, time) : binaryRecord(envelope, id, key, time, body);
    return { id, topic: type.topic, record, bytes: checkedBytes(record, type) };
  }

  /** The event's time as text; that of arrival where it has none. */
  #timeText(time: unknown): string {
    const nowMs = this.#clock.nowMs();
    if (time === undefined) return this.#arrivalAt(nowMs);
    const timeMs = readTimestamp(time, 'time');
    checkTime(timeMs, nowMs);
    return typeof time === 'string' ? time : new Date(timeMs).toISOString();
  }

  #arrivalAt(nowMs: number): string {
    if (nowMs !== this.#arrivalMs) {
      this.#arrivalMs = nowMs;
      this.#arrivalText = new Date(nowMs).toISOString();
    }
    return this.#arrivalText;
  }
}

function binaryRecord(envelope: Envelope, id: string, key: string, time: string, body: string | null): OutgoingRecord {
  const headers: Record<string, RecordBytes> = {
    ce_specversion: SPEC_VERSION,
    ce_id: id,
    ce_source: envelope.source,
    ce_type: envelope.type,
    ce_time: time,
    'content-type': 'application/json',
  };
  if (envelope.attributes !== null) addAttributes(headers, envelope.attributes);
  return { key, value: body ?? JSON.stringify(envelope.data), headers };
}

function addAttributes(headers: Record<string, RecordBytes>, attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) headers[`ce_${name}`] = value;
}

/** A flat record has no headers; further attributes have no place in it. */
function flatRecord(envelope: Envelope, id: string, key: string, time: string): OutgoingRecord {
  const { source, type, data } = envelope;
  const identity = source === DEFAULT_SOURCE ? { id, type, time } : { id, source, type, time };
  return { key, value: JSON.stringify({ ...identity, ...(data as object) }) };
}

function checkedBytes(record: OutgoingRecord, type: EventType): number {
  let bytes = byteLength(record.key) + byteLength(record.value);
  for (const name in record.headers) bytes += name.length + byteLength(record.headers[name]!);
  if (bytes <= EVENT_BYTES_LIMIT) return bytes + RECORD_OVERHEAD_BYTES;
  throw new NiobeError(
    'TOO_LARGE',
    `an event of type ${type.name} has ${bytes} bytes, more than ${EVENT_BYTES_LIMIT}`,
    {
      maxBytes: EVENT_BYTES_LIMIT,
    },
  );
}

function byteLength(bytes: RecordBytes | null): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}
