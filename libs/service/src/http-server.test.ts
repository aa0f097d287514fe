import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NiobeError, silentLogger, systemClock } from '@niobe/kernel';
import { Health } from './health.ts';
import { HttpServer } from './http-server.ts';
import { PrometheusMeter } from './prometheus-meter.ts';

const health = new Health();
let ready = { ready: true, reason: '' };
let server: HttpServer;
const openAt = (port: number): Promise<HttpServer> =>
  HttpServer.open({
    host: '127.0.0.1',
    port,
    health,
    meter: new PrometheusMeter('test'),
    logger: silentLogger,
    clock: systemClock,
  });

const ask = async (
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> => {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
};
const post = (path: string, body: string, type = 'application/json'): ReturnType<typeof ask> =>
  ask(path, { method: 'POST', body, headers: { 'content-type': type } });

beforeAll(async () => {
  health.starting('recovering 3 of 64 partitions');
  server = await openAt(0);
});
afterAll(() => server.close());

describe('HttpServer', () => {
  it('answers probes before the service has started, and NOT_READY elsewhere', async () => {
    expect((await ask('/livez')).status).toBe(200);
    for (const path of ['/startupz', '/readyz', '/v1/things']) {
      const { status, body, headers } = await ask(path);
      expect({ status, code: body['code'], detail: body['detail'] }).toEqual({
        status: 503,
        code: 'NOT_READY',
        detail: 'recovering 3 of 64 partitions',
      });
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(headers.get('retry-after')).toBe('1');
    }
  });

  it('serves the mounted routes and asks the service for readiness', async () => {
    health.serving(() => ready);
    await server.mount((app) => {
      app.post('/v1/things', { bodyLimit: 100 }, (request) => ({ got: request.body }));
      app.get('/v1/things/:id', () => {
        throw new NiobeError('NOT_FOUND', 'no thing of this id', { known: ['a', 'b'] });
      });
      app.get('/v1/names/:name', ({ params }) => params);
      app.get('/v1/bug', () => {
        throw new TypeError('secret insides');
      });
    });
    expect((await ask('/startupz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(200);
    ready = { ready: false, reason: 'NATS is away' };
    expect((await ask('/readyz')).body).toMatchObject({ code: 'NOT_READY', detail: 'NATS is away' });
    expect((await post('/v1/things', '{"a":1}')).body).toEqual({ got: { a: 1 } });
    const long = 'ü'.repeat(256);
    expect((await ask(`/v1/names/${encodeURIComponent(long)}`)).body).toEqual({ name: long });
  });

  it('tells every error as a problem with a code', async () => {
    const told = async (answer: ReturnType<typeof ask>): Promise<unknown> => {
      const { status, body } = await answer;
      return { status, code: body['code'] };
    };
    expect(await told(ask('/nowhere'))).toEqual({ status: 404, code: 'NOT_FOUND' });
    expect((await ask('/v1/things/c')).body).toMatchObject({ status: 404, code: 'NOT_FOUND', known: ['a', 'b'] });
    expect((await post('/v1/things', '{"a":}')).body).toMatchObject({ status: 400, code: 'MALFORMED', position: 5 });
    expect((await post('/v1/things', `{"a":"${'x'.repeat(200)}"}`)).body).toMatchObject({
      status: 413,
      code: 'TOO_LARGE',
      maxBytes: 100,
    });
    expect(await told(post('/v1/things', 'a=1', 'text/plain'))).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
    expect(await told(ask('/v1/things', { method: 'DELETE' }))).toEqual({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    expect((await ask('/v1/things')).headers.get('allow')).toBe('POST');
    expect(await told(ask('/v1/%'))).toEqual({ status: 400, code: 'MALFORMED' });
    const bug = await ask('/v1/bug');
    expect(bug.body).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(bug.body)).not.toContain('secret');
  });

  it('answers a body that is far too large while it is still being sent', async () => {
    const huge = JSON.stringify({ a: 'x'.repeat(20 * 1024 * 1024) });
    for (let i = 0; i < 10; i++) {
      const { body, headers } = await post('/v1/things', huge);
      expect(body).toMatchObject({ status: 413, code: 'TOO_LARGE' });
      expect(headers.get('connection')).not.toBe('close');
    }
  });

  it('answers bytes that are no HTTP and headers that are too large', async () => {
    const raw = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.on('data', (data) => (answer += String(data)));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      });
    expect(await raw('HELLO\r\n\r\n')).toMatch(/^HTTP\/1.1 400[^]*"code":"MALFORMED"/);
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431[^]*"code":"TOO_LARGE"/,
    );
  });

  it('counts requests by class of status', async () => {
    const page = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect(page).toMatch(/niobe_test_http_requests_total\{status="4xx"\} [1-9]/);
    expect(page).toMatch(/niobe_test_http_request_seconds_count [1-9]/);
  });

  it('says which port is taken and what to do', async () => {
    await expect(openAt(server.port)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `port ${server.port} of 127.0.0.1 is taken by another process: free it or set NIOBE_HTTP_PORT`,
    });
  });
});
