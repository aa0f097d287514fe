import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog, type Deployment, type RecordBatch } from '@niobe/events';
import { seededRandom, systemClock, until, type Logger, type LogFields } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter, readConfiguration, type RunningService } from '@niobe/service';
import fc from 'fast-check';
import { configSchema } from '../config.ts';
import { BATCH_BODY_BYTES_LIMIT, EVENT_BODY_BYTES_LIMIT, QUEUE_BYTES_LIMIT } from './limits.ts';
import { startCollector } from './start-collector.ts';

const SECRET = 'text-of-an-event';

const deployment: Deployment = {
  name: 'test',
  shards: ['shard-0'],
  partitions: 64,
  topics: [
    {
      name: 'shop',
      partitions: 1,
      retentionMs: 1e9,
      retentionBytes: -1,
      records: 'cloudevents',
      deduplicate: { ids: 10, hours: 1 },
    },
  ],
  events: [
    {
      type: 'purchase',
      topic: 'shop',
      key: 'product',
      fields: {
        product: { type: 'text' },
        price: { type: 'decimal', scale: 2 },
        note: { type: 'text', maxBytes: 60_000, optional: true },
      },
    },
  ],
  cells: [],
  cubes: [],
  edges: [],
  mappings: [],
};

const data = { product: SECRET, price: '2.55' };
const purchase = { id: 'e1', type: 'purchase', data };

let log: MemoryEventLog;
let service: RunningService;
let server: HttpServer;
let meter: PrometheusMeter;
let lines: string[];

function recordingLogger(): Logger {
  const write = (fields: LogFields, message: string): void => void lines.push(JSON.stringify({ ...fields, message }));
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  return logger;
}

beforeEach(async () => {
  lines = [];
  const logger = recordingLogger();
  meter = new PrometheusMeter('ingest');
  log = new MemoryEventLog({ clock: systemClock, sendDeadlineMs: 30_000 });
  service = await startCollector(deployment, {
    eventLog: log,
    clock: systemClock,
    random: seededRandom(1),
    logger,
    meter,
    starting: () => undefined,
    stopping: new AbortController().signal,
  });
  const health = new Health();
  health.serving(() => service.readiness());
  server = await HttpServer.open({ host: '127.0.0.1', port: 0, health, meter, logger, clock: systemClock });
  await server.mount(service.routes!);
});

afterEach(async () => {
  log.start();
  await service.drain();
  await server.close();
  await log.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

const text = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? undefined);

const postEvent = (body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  post('/v1/events', body, headers);
const postBatch = (body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  post('/v1/batch', body, headers);

/** Everything in the topic. */
async function records(): Promise<RecordBatch | null> {
  const [offsets] = await log.offsets('shop');
  if (offsets!.latest === 0) return null;
  return new Promise((resolve) => {
    const consumer = log.consumer({
      group: `g${Math.floor(systemClock.monotonicMs())}`,
      topic: 'shop',
      gatherMs: 0,
      maxBatchBytes: 1e8,
      onAssigned: () => consumer.seek(0, 0),
      onRevoked: () => undefined,
      onFailed: () => undefined,
      onBatch: async (batch) => {
        resolve(batch);
        void consumer.close();
      },
    });
  });
}

async function ids(): Promise<string[]> {
  return ((await records())?.headers ?? []).map((headers) => text(headers.ce_id));
}

describe('POST /v1/events', () => {
  it('answers 202 with the id when the log has the event', async () => {
    const { status, body } = await postEvent(purchase);
    expect({ status, body }).toEqual({ status: 202, body: { id: 'e1' } });
    const batch = await records();
    expect(batch!.values.map(text)).toEqual([JSON.stringify(data)]);
    expect(batch!.keys.map(text)).toEqual([SECRET]);
  });

  it('gives an id where there is none', async () => {
    const { body } = await postEvent({ type: 'purchase', data });
    expect(body.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ids()).toEqual([body.id]);
  });

  it('takes structured CloudEvents and binary mode', async () => {
    const structured = { ...purchase, specversion: '1.0', source: 's', subject: 'x' };
    expect(
      (await postEvent(structured, { 'content-type': 'application/cloudevents+json; charset=utf-8' })).status,
    ).toBe(202);
    const binary = { 'ce-specversion': '1.0', 'ce-type': 'purchase', 'ce-id': 'e2', 'ce-source': '/till' };
    expect((await postEvent(data, binary)).body).toEqual({ id: 'e2' });
    expect(await ids()).toEqual(['e1', 'e2']);
  });

  it('does not answer before the log has acknowledged', async () => {
    log.stop();
    let answered = false;
    const answer = postEvent(purchase).then((result) => {
      answered = true;
      return result.status;
    });
    await until(systemClock, async () => (await metric('niobe_ingest_queue_bytes')) > 0, 5000, 'the event to wait');
    expect(answered).toBe(false);
    log.start();
    expect(await answer).toBe(202);
  });

  it.each([
    ['{"type":"purchase"', {}, 400, { code: 'MALFORMED', position: 18 }],
    ['{"type":"purchase",}', {}, 400, { code: 'MALFORMED', position: 19 }],
    ['', {}, 400, { code: 'MALFORMED' }],
    [Uint8Array.of(0x22, 0xff, 0x22), {}, 400, { code: 'MALFORMED' }],
    ['[]', {}, 422, { code: 'SCHEMA_VIOLATION', path: '$' }],
    ['{"type":"gone","data":{}}', {}, 422, { code: 'UNKNOWN_EVENT_TYPE', path: 'type' }],
    [{ type: 'purchase', data: { product: 'a' } }, {}, 422, { code: 'SCHEMA_VIOLATION', path: 'data.price' }],
    [{ ...purchase, time: '2999-01-01T00:00:00Z' }, {}, 422, { code: 'TIME_IN_FUTURE', path: 'time' }],
    [data, { 'ce-type': 'purchase' }, 422, { code: 'SCHEMA_VIOLATION', path: 'ce-specversion' }],
    ['x', { 'content-type': 'text/plain' }, 415, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['{}', { 'content-type': 'application/x-ndjson' }, 415, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['x', { 'content-encoding': 'gzip' }, 415, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['x'.repeat(EVENT_BODY_BYTES_LIMIT + 1), {}, 413, { code: 'TOO_LARGE', maxBytes: EVENT_BODY_BYTES_LIMIT }],
  ])('refuses %.40s with %j', async (body, headers, status, problem) => {
    const answer = await postEvent(body, headers as unknown as Record<string, string>);
    expect(answer.body).toMatchObject({ status, ...problem });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await ids()).toEqual([]);
  });

  it('takes a body of exactly the bound', async () => {
    const note = 'n'.repeat(20_000);
    const body = JSON.stringify({ ...purchase, data: { ...data, note } });
    expect((await postEvent(body.padEnd(EVENT_BODY_BYTES_LIMIT, ' '))).status).toBe(202);
  });

  it('bounds a body that does not state its length', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        { port: server.port, path: '/v1/events', method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => resolve(response.resume().statusCode),
      );
      request.on('error', reject);
      for (let i = 0; i < 9; i++) request.write('x'.repeat(8192));
      request.end();
    });
    expect(status).toBe(413);
  });
});

describe('POST /v1/batch', () => {
  it('takes a JSON array, NDJSON and a CloudEvents batch', async () => {
    const batch = ['a', 'b', 'c'].map((id) => ({ ...purchase, id }));
    expect(await postBatch(batch)).toMatchObject({ status: 202, body: { accepted: 3, rejected: [] } });
    const text = batch.map((event) => JSON.stringify({ ...event, id: `${event.id}2` })).join('\r\n');
    const ndjson = { 'content-type': 'application/x-ndjson' };
    expect(await postBatch(`\n${text}\n\n`, ndjson)).toMatchObject({
      status: 202,
      body: { accepted: 3, rejected: [] },
    });
    const cloud = [{ ...purchase, id: 'd', specversion: '1.0' }];
    const type = { 'content-type': 'application/cloudevents-batch+json' };
    expect(await postBatch(cloud, type)).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect(await postBatch([])).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } });
    expect(await ids()).toEqual(['a', 'b', 'c', 'a2', 'b2', 'c2', 'd']);
  });

  it('says for each event why it was not taken', async () => {
    const answer = await postBatch([purchase, { type: 'gone' }, 7, { ...purchase, data: { ...data, price: '1.234' } }]);
    expect(answer).toMatchObject({
      status: 207,
      body: {
        accepted: 1,
        rejected: [
          { index: 1, code: 'UNKNOWN_EVENT_TYPE', path: 'type' },
          { index: 2, code: 'SCHEMA_VIOLATION', path: '$' },
          { index: 3, code: 'SCHEMA_VIOLATION', path: 'data.price' },
        ],
      },
    });
    expect(Object.keys((answer.body.rejected as object[])[0]!)).toEqual(['index', 'code', 'path', 'detail']);
    expect(await ids()).toEqual(['e1']);
  });

  it('judges each line of NDJSON by itself', async () => {
    const body = `${JSON.stringify(purchase)}\n{"type":\n\n${JSON.stringify({ ...purchase, id: 'e2' })}`;
    const answer = await postBatch(body, { 'content-type': 'application/x-ndjson' });
    expect(answer).toMatchObject({
      status: 207,
      body: { accepted: 2, rejected: [{ index: 1, code: 'MALFORMED', path: '$' }] },
    });
    expect(await ids()).toEqual(['e1', 'e2']);
  });

  it('refuses an event above its bound and takes the others', async () => {
    const huge = { ...purchase, data: { product: 'p'.repeat(4000), price: 1, note: 'n'.repeat(50_000) } };
    const attributes = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => [name, 'x'.repeat(1000)]),
    );
    const tooLarge = { ...huge, ...attributes, specversion: '1.0' };
    const answer = await postBatch([tooLarge, huge]);
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'TOO_LARGE' }] });
  });

  it.each([
    ['[{]', 400, { code: 'MALFORMED', position: 2 }],
    ['{}', 422, { code: 'SCHEMA_VIOLATION', path: '$' }],
    [Array.from({ length: 1001 }, () => 1), 413, { code: 'TOO_LARGE', maxEvents: 1000 }],
    ['x'.repeat(BATCH_BODY_BYTES_LIMIT + 1), 413, { code: 'TOO_LARGE', maxBytes: BATCH_BODY_BYTES_LIMIT }],
  ])('refuses %.20s whole', async (body, status, problem) => {
    expect((await postBatch(body)).body).toMatchObject({ status, ...problem });
  });
});

describe('overload and end', () => {
  it('fills its queue while the log is away, then answers 503 with Retry-After, and loses nothing it took', async () => {
    log.stop();
    const note = 'n'.repeat(50_000);
    const answers: Promise<Answer>[] = [];
    const batch = (at: number): unknown[] =>
      Array.from({ length: 20 }, (_, index) => ({ ...purchase, id: `${at}-${index}`, data: { ...data, note } }));
    let sent = 0;
    for (; sent < 30; sent++) answers.push(postBatch(batch(sent)));
    const refusals = (): Promise<number> => metric('niobe_ingest_events_rejected_total{code="BUSY"}');
    await until(systemClock, async () => (await refusals()) > 0, 10_000, 'a refusal');
    const refused = await Promise.any(
      answers.map((answer) =>
        answer.then((result) => (result.status === 503 ? result : Promise.reject(new Error('taken')))),
      ),
    );
    expect(refused.body).toMatchObject({ code: 'BUSY' });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await metric('niobe_ingest_queue_bytes')).toBeLessThanOrEqual(QUEUE_BYTES_LIMIT);
    expect(await metric('niobe_ingest_queue_bytes')).toBeGreaterThan(QUEUE_BYTES_LIMIT * 0.9);
    expect(service.readiness().ready).toBe(false);
    log.start();
    const results = await Promise.all(answers);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([202, 503]));
    const acknowledged = results.flatMap(({ status }, at) =>
      status === 202 ? batch(at).map((event) => (event as { id: string }).id) : [],
    );
    expect((await ids()).sort()).toEqual(acknowledged.sort());
    await until(
      systemClock,
      async () => (await metric('niobe_ingest_bodies_bytes')) === 0,
      5000,
      'bodies to be released',
    );
    expect(await metric('niobe_ingest_queue_bytes')).toBe(0);
  }, 30_000);

  it('releases what a client reserved that went away', async () => {
    const controller = new AbortController();
    const headers = { 'content-type': 'application/json' };
    const url = `http://127.0.0.1:${server.port}/v1/batch`;
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('[')) });
    const request = fetch(url, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
      signal: controller.signal,
    } as RequestInit);
    request.catch(() => undefined);
    const reserved = (): Promise<number> => metric('niobe_ingest_bodies_bytes');
    await until(systemClock, async () => (await reserved()) === BATCH_BODY_BYTES_LIMIT, 5000, 'a reservation');
    controller.abort();
    await until(systemClock, async () => (await reserved()) === 0, 5000, 'its release');
  });

  it('takes nothing any more once it drains', async () => {
    await service.drain();
    expect(await postEvent(purchase)).toMatchObject({ status: 503, body: { code: 'NOT_READY' } });
    expect(service.readiness()).toMatchObject({ ready: false });
  });

  it('counts, and writes no text of an event into logs or metrics', async () => {
    await postEvent(purchase);
    await postEvent({ type: SECRET, data });
    await postEvent(`{"${SECRET}":`);
    await postBatch([purchase, { ...purchase, [SECRET]: 1 }]);
    expect(await metric('niobe_ingest_events_accepted_total')).toBe(2);
    expect(await metric('niobe_ingest_events_rejected_total{code="UNKNOWN_EVENT_TYPE"}')).toBe(1);
    expect(await metric('niobe_ingest_events_rejected_total{code="MALFORMED"}')).toBe(1);
    expect(await metric('niobe_ingest_events_rejected_total{code="SCHEMA_VIOLATION"}')).toBe(1);
    expect(await metric('niobe_ingest_write_seconds_count')).toBeGreaterThan(0);
    expect(await meter.page()).not.toContain(SECRET);
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  it('answers whatever comes with a code, and takes valid events afterwards', async () => {
    const valid = JSON.stringify(purchase);
    const mutated = fc
      .tuple(fc.nat(valid.length), fc.nat(3), fc.string({ unit: 'binary', maxLength: 4 }))
      .map(([at, cut, put]) => valid.slice(0, at) + put + valid.slice(at + cut));
    const types = fc.constantFrom('application/json', 'application/x-ndjson', 'application/cloudevents+json', 'a/b');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/v1/events', '/v1/batch'),
        types,
        fc.oneof(mutated, fc.json()),
        async (path, type, body) => {
          const answer = await post(path, body, { 'content-type': type });
          expect([202, 207, 400, 413, 415, 422]).toContain(answer.status);
          if (answer.status >= 400) expect(typeof answer.body.code).toBe('string');
        },
      ),
      { numRuns: 300 },
    );
    expect((await postEvent({ ...purchase, id: 'afterwards' })).status).toBe(202);
  }, 30_000);
});

describe('configuration', () => {
  const given = { NIOBE_DEPLOYMENT: 'd', NIOBE_KAFKA_BROKERS: 'a:1, b:2' };

  it('names brokers', () => {
    expect(readConfiguration(configSchema, given).NIOBE_KAFKA_BROKERS).toEqual(['a:1', 'b:2']);
    expect(() => readConfiguration(configSchema, { ...given, NIOBE_KAFKA_BROKERS: 'a' })).toThrow('host:port');
  });

  it('does not listen beyond loopback', () => {
    expect(() => readConfiguration(configSchema, { ...given, NIOBE_HTTP_HOST: '0.0.0.0' })).toThrow('only loopback');
  });
});

/** A value of the metrics page; 0 where it is not there. */
async function metric(name: string): Promise<number> {
  const line = (await meter.page()).split('\n').find((row) => row.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
