import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SchemaTable } from '@niobe/cells';
import type { Deployment } from '@niobe/events';
import { compileEdgeTypes, type EdgeType } from '@niobe/graph';
import { FactsRow, MemoryNetwork, MemorySharedMaps, newFacts, PartitionTable, SchemaCatalogue } from '@niobe/grid';
import { seededRandom, silentLogger, systemClock, until } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter, type RunningService } from '@niobe/service';
import { GraphShard } from '../fixtures/graph-shard.ts';
import { startTraversal } from './service.ts';

const PARTITIONS = 8;
const DEADLINE_MS = 5_000;

const DEPLOYMENT: Deployment = {
  name: 'test',
  shards: ['shard-0'],
  partitions: PARTITIONS,
  topics: [],
  events: [],
  cubes: [],
  mappings: [],
  cells: [
    {
      name: 'user',
      key: 'text',
      fields: {
        country: { type: 'text', optional: true },
        lastOrder: { type: 'timestamp', optional: true },
        spent: { type: 'decimal', scale: 2, optional: true },
        visits: { type: 'u64', optional: true },
        scores: { type: 'f64', array: true, optional: true },
        badge: { type: 'bytes', optional: true },
      },
    },
    { name: 'page', key: 'integer', fields: { title: { type: 'text', optional: true } } },
  ],
  edges: [
    { name: 'viewed', from: 'user', to: 'page', counters: { views: { type: 'u64' } } },
    {
      name: 'knows',
      from: 'user',
      to: 'user',
      directed: false,
      counters: { since: { type: 'timestamp', merge: 'min' } },
    },
    { name: 'links', from: 'page', to: 'page' },
  ].map((declaration) => ({ file: `edges/${declaration.name}.json`, declaration })),
};

const EDGES = compileEdgeTypes(DEPLOYMENT.edges, DEPLOYMENT.cells);

/** The service in front of a shard, which is filled directly. */
class System {
  readonly #maps = new MemorySharedMaps(systemClock);
  readonly #random = seededRandom(3);
  readonly #network = new MemoryNetwork({ clock: systemClock, random: this.#random });
  readonly #bus = this.#network.connect();
  shard!: GraphShard;
  service!: RunningService;
  table!: PartitionTable;
  #http!: HttpServer;

  async open(): Promise<void> {
    const [schemas, maps, bus] = [new SchemaTable(), this.#maps, this.#network.connect()];
    await (await FactsRow.open(maps)).record(newFacts(PARTITIONS, '00'));
    this.table = await PartitionTable.open({ maps, partitions: PARTITIONS, logger: silentLogger });
    await this.table.ensureRows(DEPLOYMENT.shards);
    await SchemaCatalogue.open({ maps, schemas, logger: silentLogger });
    const place = { deployment: 'test', name: 'shard-0', partitions: PARTITIONS };
    this.shard = new GraphShard({ bus, ...place, schemas, clock: systemClock });
    await this.#start();
    const isReady = (): boolean => this.service.readiness().ready && schemas.byName('edge.links.in') !== undefined;
    expect(this.service.readiness()).toMatchObject({ ready: false, reason: expect.stringMatching(/^8 of 8 /) });
    await this.#activate();
    await until(systemClock, isReady, DEADLINE_MS, 'readiness');
  }

  async #start(): Promise<void> {
    const [health, meter, clock] = [new Health(), new PrometheusMeter('traversal'), systemClock];
    this.service = await startTraversal(DEPLOYMENT, {
      bus: this.#bus,
      maps: this.#maps,
      clock: systemClock,
      random: this.#random,
      logger: silentLogger,
      meter,
      starting: () => undefined,
      stopping: new AbortController().signal,
    });
    this.#http = await HttpServer.open({ host: '127.0.0.1', port: 0, health, meter, logger: silentLogger, clock });
    await this.#http.mount(this.service.routes!);
  }

  /** As a shard marks what it serves. */
  async #activate(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++)
      await this.table.activate(await this.table.claim(partition, 'shard-0', 'shard-0@0000000000000000'));
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#http.port}${path}`, init);
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, body, retryAfter: response.headers.get('retry-after') };
  }

  search(search: unknown, signal?: AbortSignal): Promise<Answer> {
    const body = typeof search === 'string' ? search : JSON.stringify(search);
    const headers = { 'content-type': 'application/json' };
    return this.ask('/v1/traverse', { method: 'POST', body, headers, ...(signal === undefined ? {} : { signal }) });
  }

  async close(): Promise<void> {
    await this.service.drain();
    await this.#http.close();
    await this.#bus.close();
    this.shard.close();
  }
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly retryAfter: string | null;
}

describe('traversal', () => {
  let system: System;
  beforeEach(async () => {
    system = new System();
    await system.open();
  });
  afterEach(() => system.close());

  it('is ready when every partition is served', async () => {
    await system.table.claim(3, 'shard-0', 'shard-0@1111111111111111');
    await until(systemClock, () => !system.service.readiness().ready, DEADLINE_MS, 'the end of it');
    expect(system.service.readiness().reason).toBe('1 of 8 partitions have no shard that serves them');
  });

  describe('GET /v1/cells/:schema/:key', () => {
    it('gives a cell with every digit, by a key of any length', async () => {
      const key = 'a/b ü'.repeat(40);
      system.shard.put('user', key, {
        country: 'FR',
        lastOrder: Date.UTC(2020, 1, 3),
        spent: '12.50',
        visits: 2n ** 60n,
        scores: [1.5, Number.NaN],
        badge: Uint8Array.of(1, 2, 3),
      });
      const { status, body } = await system.ask(`/v1/cells/user/${encodeURIComponent(key)}`);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          schema: 'user',
          key,
          record: {
            country: 'FR',
            lastOrder: '2020-02-03T00:00:00.000Z',
            spent: '12.50',
            visits: '1152921504606846976',
            scores: [1.5, 'NaN'],
            badge: 'AQID',
          },
          version: { epoch: 1, seq: expect.any(Number) },
        },
      });
    });

    it('reads integer keys, and tells absent fields as null', async () => {
      system.shard.put('page', -7, { title: null });
      const { body } = await system.ask('/v1/cells/page/-7');
      expect(body).toMatchObject({ schema: 'page', key: -7, record: { title: null } });
    });

    it.each([
      ['/v1/cells/shop/x', 404, 'NOT_FOUND', 'schema: there is no such cell schema; there are user, page'],
      ['/v1/cells/user/nobody', 404, 'NOT_FOUND', 'key: there is no user of this key'],
      ['/v1/cells/page/1e3', 400, 'BAD_REQUEST', 'key: the keys of page are integers within +-(2^53 - 1)'],
      ['/v1/cells/page/9007199254740993', 400, 'BAD_REQUEST', 'key: the keys of page are integers within +-(2^53 - 1)'],
      [`/v1/cells/user/${'x'.repeat(513)}`, 422, 'SCHEMA_VIOLATION', 'key: 513 bytes exceed 512'],
      ['/v1/cells/__proto__/x', 404, 'NOT_FOUND', 'schema: there is no such cell schema; there are user, page'],
    ])('refuses %s', async (path, status, code, detail) => {
      expect(await system.ask(path)).toMatchObject({ status, body: { code, detail } });
    });
  });

  describe('GET /v1/edges/:edge/:from/:to', () => {
    let ids: { readonly ann: number; readonly bob: number; readonly page: number };
    beforeEach(() => {
      const [ann, bob] = ['ann', 'bob'].map((key) => system.shard.put('user', key, {})) as [number, number];
      ids = { ann, bob, page: system.shard.put('page', 1, {}) };
    });

    it('gives the counters of an edge', async () => {
      system.shard.put('edge.viewed', `${ids.ann}:${ids.page}`, { views: 3 });
      expect((await system.ask('/v1/edges/viewed/ann/1')).body).toEqual({
        edge: 'viewed',
        from: 'ann',
        to: 1,
        counters: { views: 3 },
        version: { epoch: 1, seq: expect.any(Number) },
      });
    });

    it('finds an edge without direction from both ends', async () => {
      const pair = `${Math.min(ids.ann, ids.bob)}:${Math.max(ids.ann, ids.bob)}`;
      system.shard.put('edge.knows', pair, { since: 86_400_000 });
      const counters = { since: '1970-01-02T00:00:00.000Z' };
      expect((await system.ask('/v1/edges/knows/ann/bob')).body).toMatchObject({ from: 'ann', to: 'bob', counters });
      expect((await system.ask('/v1/edges/knows/bob/ann')).body).toMatchObject({ from: 'bob', to: 'ann', counters });
    });

    it.each([
      ['/v1/edges/likes/ann/1', 404, 'NOT_FOUND', 'edge: there is no such edge type; there are viewed, knows, links'],
      ['/v1/edges/viewed/ann/1', 404, 'NOT_FOUND', 'there is no edge viewed between these vertices'],
      ['/v1/edges/viewed/zoe/1', 404, 'NOT_FOUND', 'from: there is no user of this key'],
      ['/v1/edges/viewed/ann/2', 404, 'NOT_FOUND', 'to: there is no page of this key'],
      ['/v1/edges/viewed/ann/x', 400, 'BAD_REQUEST', 'to: the keys of page are integers within +-(2^53 - 1)'],
      [
        '/v1/edges/links/1/1',
        400,
        'BAD_REQUEST',
        'edge: links has no counters; POST /v1/traverse tells its neighbours',
      ],
    ])('refuses %s', async (path, status, code, detail) => {
      expect(await system.ask(path)).toMatchObject({ status, body: { code, detail } });
    });
  });

  describe('POST /v1/traverse', () => {
    const start = [{ schema: 'user', key: 'ann' }];
    const hops = [{ edge: 'viewed', direction: 'out' }];
    const good = { start, hops, return: 'vertices' };

    it.each([
      ['an unknown schema', { ...good, start: [{ schema: 'shop', key: 'x' }] }, 'UNKNOWN_SCHEMA', /user, page/],
      ['a start without key', { ...good, start: [{ schema: 'user' }] }, 'SCHEMA_VIOLATION', /start\[0\]\.key/],
      ['no start', { ...good, start: [] }, 'SCHEMA_VIOLATION', /^start: /],
      [
        'an unknown edge',
        { ...good, hops: [{ edge: 'likes', direction: 'out' }] },
        'UNKNOWN_EDGE',
        /viewed, knows, links/,
      ],
      [
        'an unknown direction',
        { ...good, hops: [{ edge: 'viewed', direction: 'up' }] },
        'SCHEMA_VIOLATION',
        /out, in, both/,
      ],
      [
        'a hop that fits nothing',
        { ...good, hops: [{ edge: 'links', direction: 'out' }] },
        'SCHEMA_VIOLATION',
        /leads from page/,
      ],
      [
        'a depth of 10^9',
        { ...good, hops: [{ ...hops[0], repeat: 1e9 }] },
        'SCHEMA_VIOLATION',
        /hops\[0\]\.repeat: .*1 to 1000/,
      ],
      ['a limit below zero', { ...good, limit: -1 }, 'SCHEMA_VIOLATION', /^limit: .*1 to 10000/],
      ['a limit of a half', { ...good, limit: 0.5 }, 'SCHEMA_VIOLATION', /^limit: /],
      ['a budget of no vertices', { ...good, budget: { vertices: 0 } }, 'SCHEMA_VIOLATION', /^budget\.vertices: /],
      ['a budget of no bytes', { ...good, budget: { bytes: 0 } }, 'SCHEMA_VIOLATION', /^budget\.bytes: /],
      ['a budget of no time', { ...good, budget: { ms: 0 } }, 'SCHEMA_VIOLATION', /^budget\.ms: /],
      ['a wish it does not know', { ...good, depth: 3 }, 'SCHEMA_VIOLATION', /possible are start, hops/],
      ['no wish what to return', { start, hops }, 'SCHEMA_VIOLATION', /^return: .*vertices, levels/],
      ['an order by counts it does not count', { ...good, orderBy: 'count' }, 'SCHEMA_VIOLATION', /^orderBy: /],
      ['a list', [], 'SCHEMA_VIOLATION', /expected an object/],
      ['nothing', null, 'SCHEMA_VIOLATION', /expected an object/],
    ])('refuses %s', async (_what, body, code, detail) => {
      const answer = await system.search(body);
      expect(answer).toMatchObject({ status: 422, body: { code, detail: expect.stringMatching(detail) } });
    });

    it('refuses what is no JSON, too large, or sent otherwise', async () => {
      expect(await system.search('{"start":')).toMatchObject({ status: 400, body: { code: 'MALFORMED', position: 9 } });
      const large = await system.search({ ...good, note: 'x'.repeat(10_000_000) });
      expect(large).toMatchObject({ status: 413, body: { code: 'TOO_LARGE', maxBytes: 1_048_576 } });
      expect((await system.ask('/v1/traverse')).status).toBe(405);
      expect((await system.ask('/v1/traverse', { method: 'POST', body: 'a=1' })).status).toBe(415);
    });

    describe('over a small graph', () => {
      const also = {
        ...good,
        hops: [
          { edge: 'viewed', direction: 'in' },
          { edge: 'viewed', direction: 'out' },
        ],
      };
      const page = (key: number): object => ({ ...also, start: [{ schema: 'page', key }], count: true });

      /** Each user has viewed the pages of its list. */
      const views: Readonly<Record<string, readonly number[]>> = {
        ann: [1, 2, 3],
        bob: [1, 3],
        cleo: [1, 3, 4],
        dan: [5],
      };
      beforeEach(() => {
        const [viewed, , links] = EDGES as [EdgeType, EdgeType, EdgeType];
        const pages = Array.from({ length: 7 }, (_, key) => system.shard.put('page', key, {}));
        for (const [user, keys] of Object.entries(views)) {
          const id = system.shard.put('user', user, {});
          for (const key of keys) system.shard.link(viewed, id, pages[key]!);
        }
        for (let key = 0; key < 6; key++) system.shard.link(links, pages[key]!, pages[key + 1]!);
      });

      it('tells what those who viewed a page also viewed, most first, without the page itself', async () => {
        expect((await system.search(page(1))).body).toEqual({
          vertices: [
            { schema: 'page', key: 3, level: 2, count: 3 },
            { schema: 'page', key: 2, level: 2, count: 1 },
            { schema: 'page', key: 4, level: 2, count: 1 },
          ],
          total: 3,
        });
        expect((await system.search({ ...page(1), limit: 1 })).body).toMatchObject({
          vertices: [{ key: 3 }],
          total: 3,
        });
      });

      it('counts levels', async () => {
        const levels = { start: [{ schema: 'page', key: 2 }], return: 'levels' };
        const along = { ...levels, hops: [{ edge: 'links', direction: 'out', repeat: 1000 }] };
        expect((await system.search(along)).body).toEqual({ levels: [1, 1, 1, 1, 1], reached: 5, depth: 4 });
      });

      it('refuses a start that does not exist, and what goes over its budget', async () => {
        expect(await system.search(page(99))).toMatchObject({
          status: 404,
          body: { code: 'NOT_FOUND', path: 'start[0].key' },
        });
        const over = await system.search({ ...page(1), budget: { vertices: 2 } });
        expect(over).toMatchObject({ status: 422, body: { code: 'BUDGET_EXCEEDED' } });
        expect(over.body['detail']).toMatch(/budget\.vertices/);
        system.shard.pause();
        const late = await system.search({ ...page(1), budget: { ms: 50 } });
        expect(late).toMatchObject({ status: 503, body: { code: 'DEADLINE' } });
      });

      it('serves 16 searches at once, and ends that of a client who goes', async () => {
        system.shard.pause();
        const leaving = new AbortController();
        const left = system.search(page(1), leaving.signal).catch(String);
        const served = Array.from({ length: 15 }, () => system.search(page(1)));
        const isFull = async (): Promise<boolean> =>
          (await system.search({ ...page(1), budget: { ms: 1 } })).status === 429;
        await until(systemClock, isFull, DEADLINE_MS, 'the refusal of one more');
        const refused = await system.search(page(1));
        expect(refused).toMatchObject({ status: 429, body: { code: 'TOO_MANY_SEARCHES' }, retryAfter: '1' });
        leaving.abort();
        expect(await left).toMatch(/abort/);
        await until(systemClock, async () => !(await isFull()), DEADLINE_MS, 'room for another');
        system.shard.resume();
        for (const answer of await Promise.all(served)) expect(answer.body).toMatchObject({ total: 3 });
      });

      it('ends searches with the process', async () => {
        system.shard.pause();
        const search = system.search(page(1));
        const isRefused = async (): Promise<boolean> =>
          (await system.search({ ...page(1), budget: { ms: 1 } })).status === 503;
        await until(systemClock, isRefused, DEADLINE_MS, 'the search to be under way');
        await system.service.drain();
        expect(await search).toMatchObject({ status: 503, body: { code: 'CLOSED' } });
      });
    });
  });
});
