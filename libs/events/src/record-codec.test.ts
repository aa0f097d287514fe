import { describe, expect, it } from '@jest/globals';
import { isNiobeError, ManualClock, NiobeError, seededRandom } from '@niobe/kernel';
import fc from 'fast-check';
import { DEFAULT_SOURCE, type HttpHeaders } from './cloud-event.ts';
import { deadLetter } from './dead-letter.ts';
import type { EventTypeDeclaration } from './event-declaration.ts';
import { EventCatalogue } from './event-catalogue.ts';
import type { OutgoingRecord, RecordBatch } from './event-log.ts';
import { FUTURE_LIMIT_MS } from './event-window.ts';
import { RecordReader, type ReadEvent } from './record-reader.ts';
import { EVENT_BYTES_LIMIT, RecordWriter } from './record-writer.ts';

const NOW_MS = Date.UTC(2024, 4, 31, 12);

const fields: EventTypeDeclaration['fields'] = {
  product: { type: 'text', maxBytes: 60_000 },
  price: { type: 'decimal', scale: 2 },
  big: { type: 'u64', optional: true },
  tags: { type: 'text', array: true, optional: true },
};

const topic = (name: string, records: 'cloudevents' | 'flat') => ({
  name,
  partitions: 4,
  retentionMs: 1e9,
  retentionBytes: -1,
  records,
  deduplicate: { ids: 10, hours: 1 },
});

const catalogue = new EventCatalogue({
  topics: [topic('shop', 'cloudevents'), topic('feed', 'flat')],
  events: [
    { type: 'purchase', topic: 'shop', key: 'product', fields },
    { type: 'offer', topic: 'feed', key: null, fields },
  ],
});

const writer = new RecordWriter(catalogue, new ManualClock(NOW_MS), seededRandom(7));

function bytes(value: Uint8Array | string | null): Uint8Array | null {
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

/** The record as a consumer would get it, at offset 41. */
function batchOf(name: string, record: OutgoingRecord, timestamp = NOW_MS): RecordBatch {
  const headers = Object.entries(record.headers ?? {}).map(([header, value]) => [header, bytes(value)!] as const);
  return {
    topic: name,
    partition: 3,
    from: 41,
    to: 42,
    offsets: [41],
    timestamps: [timestamp],
    keys: [bytes(record.key)],
    values: [bytes(record.value)],
    headers: [Object.fromEntries(headers)],
    highWatermark: 42,
  };
}

function readBack(batch: RecordBatch): ReadEvent {
  const reader = new RecordReader(catalogue, catalogue.topic(batch.topic));
  const event = reader.newEvent();
  reader.read(batch, 0, event);
  return event;
}

function refusal(work: () => unknown): NiobeError {
  try {
    work();
  } catch (error) {
    if (isNiobeError(error)) return error;
    throw error;
  }
  throw new Error('was taken');
}

const data = { product: '85123A', price: '2.55' };

describe('RecordWriter', () => {
  it('writes CloudEvents in binary mode', () => {
    const {
      id,
      topic: name,
      record,
      bytes: size,
    } = writer.fromJson({
      id: 'e1',
      source: '/till/4',
      type: 'purchase',
      time: '2024-05-31T11:59:59+00:00',
      data,
    });
    expect({ id, name }).toEqual({ id: 'e1', name: 'shop' });
    expect(record).toEqual({
      key: '85123A',
      value: '{"product":"85123A","price":"2.55"}',
      headers: {
        ce_specversion: '1.0',
        ce_id: 'e1',
        ce_source: '/till/4',
        ce_type: 'purchase',
        ce_time: '2024-05-31T11:59:59+00:00',
        'content-type': 'application/json',
      },
    });
    expect(size).toBeGreaterThan(100);
  });

  it('gives an id, a source and a time where there are none', () => {
    const first = writer.fromJson({ type: 'purchase', data });
    const second = writer.fromJson({ type: 'purchase', data });
    expect(first.id).not.toBe(second.id);
    expect(first.record.headers).toMatchObject({
      ce_id: first.id,
      ce_source: DEFAULT_SOURCE,
      ce_time: '2024-05-31T12:00:00.000Z',
    });
  });

  it('carries the further attributes of a structured CloudEvent', () => {
    const { record } = writer.fromJson({ specversion: '1.0', type: 'purchase', subject: 'a b', sampled: 1, data });
    expect(record.headers).toMatchObject({ ce_subject: 'a b', ce_sampled: '1' });
  });

  it('keeps the body of binary mode as it came', () => {
    const body = '{ "price": 2.50, "product": "x" }';
    const headers: HttpHeaders = {
      host: 'h',
      'ce-specversion': '1.0',
      'ce-type': 'purchase',
      'ce-id': 'caf%C3%A9',
      'ce-time': '2024-05-31T11:00:00Z',
    };
    const { id, record } = writer.fromBinary(headers, body, JSON.parse(body));
    expect(id).toBe('café');
    expect(record.value).toBe(body);
  });

  it.each([
    [{}, 'SCHEMA_VIOLATION', 'type'],
    [[], 'SCHEMA_VIOLATION', '$'],
    [{ type: 'nothing', data }, 'UNKNOWN_EVENT_TYPE', 'type'],
    [{ type: 'constructor', data }, 'UNKNOWN_EVENT_TYPE', 'type'],
    [{ type: 'purchase' }, 'SCHEMA_VIOLATION', 'data'],
    [{ type: 'purchase', data: { ...data, price: 2.555 } }, 'SCHEMA_VIOLATION', 'data.price'],
    [{ type: 'purchase', data, id: '' }, 'SCHEMA_VIOLATION', 'id'],
    [{ type: 'purchase', data, id: 7 }, 'SCHEMA_VIOLATION', 'id'],
    [{ type: 'purchase', data, id: 'x'.repeat(257) }, 'SCHEMA_VIOLATION', 'id'],
    [{ type: 'purchase', data, source: '\udc00' }, 'SCHEMA_VIOLATION', 'source'],
    [{ type: 'purchase', data, time: 'yesterday' }, 'SCHEMA_VIOLATION', 'time'],
    [{ type: 'purchase', data, time: -1 }, 'SCHEMA_VIOLATION', 'time'],
    [{ type: 'purchase', data, time: NOW_MS + FUTURE_LIMIT_MS + 1 }, 'TIME_IN_FUTURE', 'time'],
    [{ type: 'purchase', data, colour: 'red' }, 'SCHEMA_VIOLATION', 'colour'],
    [{ type: 'purchase', data, specversion: '0.3' }, 'SCHEMA_VIOLATION', 'specversion'],
    [
      { type: 'purchase', data, specversion: '1.0', datacontenttype: 'text/xml' },
      'SCHEMA_VIOLATION',
      'datacontenttype',
    ],
    [{ type: 'purchase', data, specversion: '1.0', Colour: 'red' }, 'SCHEMA_VIOLATION', 'Colour'],
    [{ type: 'purchase', data, specversion: '1.0', colour: {} }, 'SCHEMA_VIOLATION', 'colour'],
  ])('refuses %j', (json, code, path) => {
    expect(refusal(() => writer.fromJson(json))).toMatchObject({ code, details: { path } });
  });

  it('takes 24 hours ahead', () => {
    expect(writer.fromJson({ type: 'purchase', data, time: NOW_MS + FUTURE_LIMIT_MS }).topic).toBe('shop');
  });

  it('refuses an event above its bound', () => {
    const tags = Array.from({ length: 20 }, () => 'x'.repeat(4000));
    const error = refusal(() => writer.fromJson({ type: 'purchase', data: { ...data, tags } }));
    expect(error).toMatchObject({ code: 'TOO_LARGE', details: { maxBytes: EVENT_BYTES_LIMIT } });
  });
});

describe('RecordReader', () => {
  it('reads what the writer wrote, in both formats', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const event = fc.record(
      {
        id: text.filter((id) => id !== '' && Buffer.byteLength(id) <= 256),
        source: text.filter((source) => source !== '' && Buffer.byteLength(source) <= 256),
        type: fc.constantFrom('purchase', 'offer'),
        time: fc.integer({ min: 0, max: NOW_MS }),
        data: fc.record(
          {
            product: text,
            price: fc.integer().map((cents) => cents / 100),
            big: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
            tags: fc.array(text),
          },
          { requiredKeys: ['product', 'price'] },
        ),
      },
      { requiredKeys: ['type', 'data'] },
    );
    fc.assert(
      fc.property(event, (json) => {
        const { id, topic: name, record } = writer.fromJson(JSON.parse(JSON.stringify(json)));
        const read = readBack(batchOf(name, record));
        const expected: unknown[] = [];
        catalogue.type(json.type).read(json.data, expected as ReadEvent['values'], 'refuse', 'data');
        expect(read).toMatchObject({ id, source: json.source ?? DEFAULT_SOURCE, timeMs: json.time ?? NOW_MS });
        expect(read.type.name).toBe(json.type);
        expect(read.values).toEqual(expected);
      }),
    );
  });

  it('gives a record of a foreign producer its position as id and its arrival as time', () => {
    const binary = {
      key: null,
      value: JSON.stringify({ ...data, more: 1 }),
      headers: { ce_specversion: '1.0', ce_type: 'purchase' },
    };
    expect(readBack(batchOf('shop', binary))).toMatchObject({
      id: 'shop/3/41',
      source: DEFAULT_SOURCE,
      timeMs: NOW_MS,
    });
    const flat = { key: null, value: JSON.stringify({ type: 'offer', ...data, more: 1 }) };
    expect(readBack(batchOf('feed', flat))).toMatchObject({ id: 'feed/3/41', timeMs: NOW_MS });
    expect(readBack(batchOf('feed', { key: null, value: JSON.stringify({ id: 7, type: 'offer', ...data }) })).id).toBe(
      '7',
    );
  });

  it('takes a structured CloudEvent in any topic', () => {
    const value = JSON.stringify({ specversion: '1.0', id: 'a', source: 's', type: 'offer', data });
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    expect(readBack(batchOf('feed', { key: null, value, headers }))).toMatchObject({ id: 'a', source: 's' });
  });

  it.each([
    ['shop', { value: null }, 'MALFORMED'],
    ['shop', { value: '{' }, 'MALFORMED'],
    ['shop', { value: Uint8Array.of(34, 255, 34) }, 'MALFORMED'],
    ['shop', { value: '{}' }, 'SCHEMA_VIOLATION'],
    ['shop', { value: '{}', headers: { ce_type: 'purchase' } }, 'SCHEMA_VIOLATION'],
    ['shop', { value: '{}', headers: { ce_type: 'gone', ce_specversion: '1.0' } }, 'UNKNOWN_EVENT_TYPE'],
    ['shop', { value: '{}', headers: { ce_type: Uint8Array.of(255), ce_specversion: '1.0' } }, 'MALFORMED'],
    ['shop', { value: JSON.stringify(data), headers: { ce_type: 'offer', ce_specversion: '1.0' } }, 'SCHEMA_VIOLATION'],
    [
      'shop',
      { value: JSON.stringify(data), headers: { ce_type: 'purchase', ce_specversion: '1.0', ce_id: '' } },
      'SCHEMA_VIOLATION',
    ],
    [
      'shop',
      {
        value: JSON.stringify(data),
        headers: { ce_type: 'purchase', ce_specversion: '1.0', ce_time: '2024-06-01T12:06:00Z' },
      },
      'TIME_IN_FUTURE',
    ],
    ['feed', { value: '7' }, 'SCHEMA_VIOLATION'],
    ['feed', { value: '{"product":"a"}' }, 'SCHEMA_VIOLATION'],
    ['feed', { value: '{"type":"offer","id":{},"product":"a","price":1}' }, 'SCHEMA_VIOLATION'],
  ])('refuses in %s %j', (name, record, code) => {
    expect(refusal(() => readBack(batchOf(name, { key: null, ...record }))).code).toBe(code);
  });

  it('throws nothing but a NiobeError, whatever is in a topic', () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    const names = fc.constantFrom('ce_type', 'ce_specversion', 'ce_id', 'ce_source', 'ce_time', 'content-type', 'x');
    const known = fc
      .constantFrom('purchase', 'offer', '1.0', 'application/cloudevents+json')
      .map((text) => new TextEncoder().encode(text));
    const record = fc.record({
      key: fc.option(junk),
      value: fc.option(junk),
      headers: fc.dictionary(names, fc.oneof(junk, known)),
    });
    fc.assert(
      fc.property(fc.constantFrom('shop', 'feed'), record, (name, outgoing) => {
        const batch = batchOf(name, outgoing);
        try {
          readBack(batch);
        } catch (error) {
          expect(isNiobeError(error)).toBe(true);
          expect(deadLetter(batch, 0, error as NiobeError).key).toBe(`${name}/3/41`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('deadLetter', () => {
  const error = new NiobeError('SCHEMA_VIOLATION', 'data.price: is missing', { path: 'data.price' });

  it('keeps the record and says why, where and when', () => {
    const letter = deadLetter(batchOf('shop', { key: 'k', value: '{}', headers: { ce_id: 'a' } }), 0, error);
    expect(letter).toMatchObject({
      key: 'shop/3/41',
      value: bytes('{}'),
      headers: {
        ce_id: bytes('a'),
        dead_key: bytes('k'),
        dead_code: 'SCHEMA_VIOLATION',
        dead_reason: 'data.price: is missing',
        dead_path: 'data.price',
        dead_topic: 'shop',
        dead_partition: '3',
        dead_offset: '41',
        dead_timestamp: String(NOW_MS),
      },
    });
  });

  it('always fits a broker, and says what was cut', () => {
    const huge = { key: 'k'.repeat(200_000), value: 'v'.repeat(1_040_000), headers: { big: 'h'.repeat(60_000) } };
    const letter = deadLetter(batchOf('shop', huge), 0, error);
    expect(letter.value!.length).toBeLessThan(1_000_000);
    expect(letter.headers).not.toHaveProperty('dead_key');
    expect(letter.headers).not.toHaveProperty('big');
    expect(letter.headers).toMatchObject({ dead_value_bytes: '1040000' });
  });
});
