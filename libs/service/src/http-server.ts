import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AssertionError, messageOf, NiobeError, type Clock, type Logger } from '@niobe/kernel';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Health, Readiness } from './health.ts';
import { parseJson } from './json.ts';
import { INTERNAL_PROBLEM, operatingError, PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts';
import type { PrometheusMeter } from './prometheus-meter.ts';

/**
 * The HTTP edge of a service.
 *
 * 1. It listens before the service has started: `/livez`, `/startupz`, `/readyz` and `/metrics` answer during a long recovery, any
 *    other path is 503 `NOT_READY` until then.
 * 2. {@link HttpServer.mount} brings the routes of the started service. Fastify cannot take routes once it is ready, so a second
 *    instance takes the place of the first behind the same listening socket.
 * 3. Every error leaves as problem+json with a `code`, also those of fastify and of Node's HTTP parser.
 * 4. On close new connections are refused, requests in flight end, idle connections are closed.
 */

/** A header must have arrived by then. */
const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request must have arrived by then. */
const REQUEST_TIMEOUT_MS = 30_000;
/** An idle connection is kept this long. */
const KEEP_ALIVE_MS = 30_000;
/** Bound of open connections unless the service says otherwise; more are closed as they come. */
const CONNECTIONS_LIMIT = 1024;
/** Bound of the headers of a request. */
const HEADER_BYTES_LIMIT = 16 * 1024;
/** Bound of one parameter of a path: a key of 512 bytes, each written as `%xx`. */
const PARAMETER_CHARS_LIMIT = 1536;
/** Bound of a body unless the route says otherwise. */
const BODY_BYTES_LIMIT = 1024 * 1024;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What a service adds to the edge: plain `app.get(...)`, `app.post(...)`; may be asynchronous. */
export type Routes = (app: FastifyInstance) => void | Promise<void>;

/** Where an {@link HttpServer} listens and what it shows. */
export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly health: Health;
  readonly meter: PrometheusMeter;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Bound of open connections; default 1,024. */
  readonly connectionsMax?: number | undefined;
}

/** See the head of this file. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  #app: FastifyInstance;
  #closing = false;

  private constructor(options: HttpServerOptions, app: FastifyInstance) {
    this.#options = options;
    this.#app = app;
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: HEADER_BYTES_LIMIT,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = options.connectionsMax ?? CONNECTIONS_LIMIT;
    this.#server.on('clientError', answerClientError);
  }

  /** Listens with the probes alone. Throws `UNAVAILABLE` when the port is taken. */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options, await edge(options, null));
    await server.#listen();
    return server;
  }

  /** Port that is listened on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  /** Takes the routes of the started service. */
  async mount(routes: Routes): Promise<void> {
    this.#app = await edge(this.#options, routes);
  }

  /** Ends when the requests in flight have ended. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#closing) response.setHeader('connection', 'close');
    this.#app.routing(request, response);
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(host, port, error)));
      this.#server.listen(port, host, () => resolve());
    });
  }
}

function cannotListen(host: string, port: number, cause: Error): NiobeError {
  const taken = 'code' in cause && cause.code === 'EADDRINUSE';
  const why = taken ? 'is taken by another process' : `cannot be listened on (${cause.message})`;
  return new NiobeError(
    'UNAVAILABLE',
    `port ${port} of ${host} ${why}: free it or set NIOBE_HTTP_PORT`,
    { port },
    cause,
  );
}

/** One ready fastify instance: probes, and the service's routes once there are any. */
async function edge(options: HttpServerOptions, routes: Routes | null): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_LIMIT,
    routerOptions: { maxParamLength: PARAMETER_CHARS_LIMIT },
    frameworkErrors: (error, _request, reply) => void sendError(error, reply, BODY_BYTES_LIMIT, options.logger),
  });
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => remember(known, url, method));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseBody);
  app.setErrorHandler((error, request, reply) =>
    sendError(error, reply, request.routeOptions.bodyLimit ?? BODY_BYTES_LIMIT, options.logger),
  );
  measure(app, options);
  addProbes(app, options);
  if (routes !== null) {
    await routes(app);
    await app.after();
    refuseOtherMethods(app, known);
  }
  app.setNotFoundHandler((request) => {
    throw routes === null
      ? notStarted(options.health)
      : new NiobeError('NOT_FOUND', `there is no route ${request.method} here`);
  });
  await app.ready();
  return app;
}

function parseBody(
  _request: FastifyRequest,
  body: Buffer | string,
  done: (error: Error | null, value?: unknown) => void,
): void {
  try {
    done(null, parseJson(Buffer.from(body)));
  } catch (error) {
    done(error as Error);
  }
}

function remember(known: Map<string, Set<string>>, url: string, method: string | string[]): void {
  const methods = known.get(url) ?? new Set<string>();
  known.set(url, methods);
  for (const one of [method].flat()) methods.add(one.toUpperCase());
}

/** A known path with a method it does not have is 405 with `allow`, not 404. */
function refuseOtherMethods(app: FastifyInstance, known: ReadonlyMap<string, ReadonlySet<string>>): void {
  const paths = [...known.entries()]; // the routes added below are told to `known` too
  for (const [url, methods] of paths) {
    const allow = [...methods].sort((a, b) => a.localeCompare(b));
    const others = METHODS.filter((method) => !methods.has(method));
    if (others.length === 0) continue;
    app.route({
      method: others,
      url,
      onRequest: (_request, reply) => {
        void reply.header('allow', allow.join(', '));
        throw new NiobeError('METHOD_NOT_ALLOWED', `only ${allow.join(', ')} can be used here`, { allow });
      },
      handler: () => undefined,
    });
  }
}

function notStarted(health: Health): NiobeError {
  return new NiobeError('NOT_READY', health.startup().reason || 'the service has not started yet');
}

function addProbes(app: FastifyInstance, { health, meter }: HttpServerOptions): void {
  const probe = (state: Readiness): Readiness => {
    if (!state.ready) throw new NiobeError('NOT_READY', state.reason);
    return state;
  };
  app.get('/livez', () => ({ alive: true }));
  app.get('/startupz', () => probe(health.startup()));
  app.get('/readyz', () => probe(health.readiness()));
  app.get('/metrics', async (_request, reply) => reply.type(meter.contentType).send(await meter.page()));
}

function measure(app: FastifyInstance, { meter, clock }: HttpServerOptions): void {
  const classes = [2, 3, 4, 5].map((first) =>
    meter.counter('http_requests_total', 'Answered HTTP requests by class of status.', { status: `${first}xx` }),
  );
  const seconds = meter.histogram(
    'http_request_seconds',
    'Time from the header to the end of the answer.',
    REQUEST_SECONDS,
  );
  const startedMs = new WeakMap<FastifyRequest, number>();
  app.addHook('onRequest', (request, _reply, done) => {
    startedMs.set(request, clock.monotonicMs());
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    classes[Math.floor(reply.statusCode / 100) - 2]?.add(1);
    seconds.observe((clock.monotonicMs() - (startedMs.get(request) ?? clock.monotonicMs())) / 1000);
    done();
  });
}

function sendError(thrown: unknown, reply: FastifyReply, maxBytes: number, logger: Logger): FastifyReply {
  const error = operatingError(thrown, maxBytes);
  if (error === null) {
    const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
    logger.error({ error: messageOf(thrown), stack }, 'a request met a programmer error');
    if (thrown instanceof AssertionError) queueMicrotask(() => rethrow(thrown));
    return reply.code(INTERNAL_PROBLEM.status).type(PROBLEM_TYPE).send(JSON.stringify(INTERNAL_PROBLEM));
  }
  // Fastify would close behind a body that it did not take, and the client, still sending, would see a reset instead of this answer. Left
  // open, the server reads the rest and drops it, for as long as a request may take.
  void reply.removeHeader('connection');
  const waitSeconds = retryAfterSeconds(error);
  if (waitSeconds !== null) void reply.header('retry-after', String(waitSeconds));
  return reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error)));
}

/** A broken invariant ends the process: see the kernel's `assert`. */
function rethrow(error: AssertionError): never {
  throw error;
}

/** Bytes that Node's parser refused, before there is a request to answer. */
function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { status, problem } = describeClientError(error.code);
  const body = JSON.stringify({ ...problemOf(problem), status });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function describeClientError(code: string | undefined): { status: number; problem: NiobeError } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `the headers are larger than ${HEADER_BYTES_LIMIT} bytes`;
    return { status: 431, problem: new NiobeError('TOO_LARGE', message, { maxBytes: HEADER_BYTES_LIMIT }) };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const message = `the request did not arrive within ${REQUEST_TIMEOUT_MS} ms`;
    return { status: 408, problem: new NiobeError('DEADLINE', message) };
  }
  return { status: 400, problem: new NiobeError('MALFORMED', 'this is not an HTTP/1.1 request') };
}
