import { isUtf8 } from 'node:buffer';
import { DEFAULT_SOURCE, identity, malformed, readEnvelope, SPEC_VERSION } from './cloud-event.ts';
import type { TopicDeclaration } from './deployment-declaration.ts';
import type { EventCatalogue } from './event-catalogue.ts';
import type { RecordBatch, RecordHeaders } from './event-log.ts';
import { isJsonObject, type EventType } from './event-type.ts';
import { checkTime, FUTURE_LIMIT_MS } from './event-window.ts';
import { readTimestamp, violation, type EventValue } from './field-reader.ts';

/**
 * From a record of a topic to a typed event. Any producer may write to a topic, so nothing is taken for granted; but members that are
 * not declared are passed over, because producers may know more than this deployment.
 *
 * What an event is depends on the record alone, never on when it is read: a replay decides as the first pass did.
 */

/** The collector judged by its own clock, this reader judges by the log's; they may differ by so much. */
const CLOCK_SKEW_MS = 300_000;

/** An event as a consumer sees it. One object serves for many records: what is read next overwrites it. */
export interface ReadEvent {
  type: EventType;
  id: string;
  source: string;
  /** Event time in Unix ms; that of arrival where the event has none. */
  timeMs: number;
  /** Typed values by field index of `type`; what lies beyond its fields is left over from others. */
  readonly values: EventValue[];
}

/** Reads the records of one topic. */
export class RecordReader {
  readonly #catalogue: EventCatalogue;
  readonly #flat: boolean;

  constructor(catalogue: EventCatalogue, topic: TopicDeclaration) {
    this.#catalogue = catalogue;
    this.#flat = topic.records === 'flat';
  }

  /** An event for {@link read} to fill. */
  newEvent(): ReadEvent {
    return { type: this.#catalogue.types[0]!, id: '', source: '', timeMs: 0, values: [] };
  }

  /**
   * Reads record `index` of `batch` into `event`. Throws `MALFORMED`, `SCHEMA_VIOLATION`, `UNKNOWN_EVENT_TYPE` or `TIME_IN_FUTURE`:
   * the record is a dead letter then, and `event` holds anything.
   */
  read(batch: RecordBatch, index: number, event: ReadEvent): void {
    const headers = batch.headers[index]!;
    const json = parseValue(batch.values[index]!);
    if (isStructured(headers)) this.#readStructured(json, batch, index, event);
    else if (this.#flat) this.#readFlat(json, batch, index, event);
    else this.#readBinary(json, headers, batch, index, event);
  }

  #readBinary(json: unknown, headers: RecordHeaders, batch: RecordBatch, index: number, event: ReadEvent): void {
    const type = headerText(headers, 'ce_type');
    if (type === null) throw violation('ce_type', 'the header is missing: this is no CloudEvent in binary mode');
    if (headerText(headers, 'ce_specversion') !== SPEC_VERSION)
      throw violation('ce_specversion', `expected "${SPEC_VERSION}"`);
    const id = headerText(headers, 'ce_id');
    const source = headerText(headers, 'ce_source');
    const time = headerText(headers, 'ce_time') ?? undefined;
    event.id = id === null ? positionOf(batch, index) : identity(id, 'ce_id');
    event.source = source === null ? DEFAULT_SOURCE : identity(source, 'ce_source');
    this.#finish(event, type, time, json, batch, index, 'data');
  }

  #readStructured(json: unknown, batch: RecordBatch, index: number, event: ReadEvent): void {
    const { id, source, type, time, data } = readEnvelope(json);
    event.id = id ?? positionOf(batch, index);
    event.source = source;
    this.#finish(event, type, time, data, batch, index, 'data');
  }

  #readFlat(json: unknown, batch: RecordBatch, index: number, event: ReadEvent): void {
    if (!isJsonObject(json)) throw violation('$', 'expected a JSON object');
    const { id, source, type, time } = json;
    if (typeof type !== 'string') throw violation('type', type === undefined ? 'is missing' : 'expected text');
    event.id = id === undefined || id === null ? positionOf(batch, index) : identity(flatId(id), 'id');
    event.source = source === undefined || source === null ? DEFAULT_SOURCE : identity(source, 'source');
    this.#finish(event, type, time ?? undefined, json, batch, index, '$');
  }

  #finish(
    event: ReadEvent,
    typeName: string,
    time: unknown,
    data: unknown,
    batch: RecordBatch,
    index: number,
    root: '$' | 'data',
  ): void {
    const arrivalMs = batch.timestamps[index]!;
    event.type = this.#typeOf(typeName, batch.topic);
    event.timeMs = time === undefined ? Math.max(0, arrivalMs) : readTimestamp(time, 'time');
    checkTime(event.timeMs, arrivalMs, FUTURE_LIMIT_MS + CLOCK_SKEW_MS);
    event.type.read(data, event.values, 'ignore', root);
  }

  #typeOf(name: string, topic: string): EventType {
    const type = this.#catalogue.type(name);
    if (type.topic !== topic) throw violation('type', `${type.name} belongs to the topic ${type.topic}`);
    return type;
  }
}

/** Producers of flat records count as often as they name. */
function flatId(id: unknown): unknown {
  return Number.isSafeInteger(id) ? String(id as number) : id;
}

/** The id of a record that has none. */
function positionOf(batch: RecordBatch, index: number): string {
  return `${batch.topic}/${batch.partition}/${batch.offsets[index]}`;
}

function isStructured(headers: RecordHeaders): boolean {
  const contentType = headers['content-type'];
  // A record is seldom structured; the first letters decide before any text is made.
  if (contentType === undefined || contentType.length < 22) return false;
  return textOf(contentType, 'content-type').toLowerCase().startsWith('application/cloudevents');
}

function headerText(headers: RecordHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined || value === null ? null : textOf(value, name);
}

function textOf(bytes: Uint8Array, path: string): string {
  if (!isUtf8(bytes)) throw malformed(`${path}: not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function parseValue(value: Uint8Array | null): unknown {
  if (value === null) throw malformed('the record has no value');
  const text = textOf(value, 'the value');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed('the value is not JSON');
  }
}
