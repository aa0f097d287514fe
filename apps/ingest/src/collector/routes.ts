import { NiobeError } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import { bodyBytes } from './body-budget.ts';
import type { Collector } from './collector.ts';
import { BATCH_BODY_BYTES_LIMIT, EVENT_BODY_BYTES_LIMIT } from './limits.ts';

/** `POST /v1/events` and `POST /v1/batch`: which media types they take, how bodies are bounded, what is answered. */

type App = Parameters<Routes>[0];

const JSON_TYPE = 'application/json; charset=utf-8';
const EVENT_TYPES: readonly string[] = ['application/json', 'application/cloudevents+json'];
const ARRAY_TYPES: readonly string[] = ['application/json', 'application/cloudevents-batch+json'];
const LINE_TYPES: readonly string[] = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

const ACCEPTED = 202;
const PARTLY_ACCEPTED = 207;

/** The routes of `collector`. */
export function collectorRoutes(collector: Collector): Routes {
  return async (app) => {
    await app.register(async (scope) => {
      takeBodies(scope, EVENT_TYPES);
      guard(scope, collector, EVENT_BODY_BYTES_LIMIT);
      addEventRoute(scope, collector);
    });
    await app.register(async (scope) => {
      takeBodies(scope, [...ARRAY_TYPES, ...LINE_TYPES]);
      guard(scope, collector, BATCH_BODY_BYTES_LIMIT);
      addBatchRoute(scope, collector);
    });
  };
}

function addEventRoute(app: App, collector: Collector): void {
  app.post('/v1/events', { bodyLimit: EVENT_BODY_BYTES_LIMIT }, async (request, reply) => {
    const id = await collector.takeEvent(request.headers, bodyOf(request.body));
    return reply
      .code(ACCEPTED)
      .header('content-type', JSON_TYPE)
      .send(`{"id":${JSON.stringify(id)}}`);
  });
}

function addBatchRoute(app: App, collector: Collector): void {
  app.post('/v1/batch', { bodyLimit: BATCH_BODY_BYTES_LIMIT }, async (request, reply) => {
    const body = bodyOf(request.body);
    const areLines = LINE_TYPES.includes(mediaType(request.headers['content-type']));
    const answer = await (areLines ? collector.takeLines(body) : collector.takeArray(body));
    const status = answer.rejected.length === 0 ? ACCEPTED : PARTLY_ACCEPTED;
    return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(answer));
  });
}

/** Bodies of these types are handed over as bytes, all others are 415. */
function takeBodies(app: App, types: readonly string[]): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([...types], { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** Refuses before anything is read what cannot be taken now, and bounds the bodies that are read at once. */
function guard(app: App, collector: Collector, limitBytes: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    const refusal = collector.refusal() ?? encodingRefusal(request.headers['content-encoding']);
    if (refusal !== null) return done(refusal);
    const bytes = bodyBytes(request.headers['content-length'], limitBytes);
    try {
      collector.budget.reserve(bytes);
    } catch (error) {
      return done(error as Error);
    }
    reply.raw.once('close', () => collector.budget.release(bytes));
    done();
  });
}

function encodingRefusal(encoding: string | undefined): NiobeError | null {
  if (encoding === undefined || encoding === 'identity') return null;
  return new NiobeError('UNSUPPORTED_MEDIA_TYPE', 'compressed bodies are not taken; send without content-encoding');
}

/** A request without a body never meets a parser. */
function bodyOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new NiobeError('MALFORMED', 'the request has no body', { position: 0 });
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}
