import { describe, expect, it } from '@jest/globals';
import { SchemaTable } from '@niobe/cells';
import { MemoryEventLog, topicSpecs, type Deployment } from '@niobe/events';
import { FactsRow, MemoryNetwork, MemorySharedMaps, newFacts, PartitionTable, SchemaCatalogue } from '@niobe/grid';
import { NiobeError, seededRandom, silentLogger, silentMeter, systemClock, until } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter, type RunningService } from '@niobe/service';
import { StoreShard } from '@niobe/testing';
import { startAnalytics } from './service.ts';

const PARTITIONS = 16;
const DEADLINE_MS = 20_000;
const TOPIC = 'sales';

const SALES = {
  name: 'sales',
  on: ['purchase'],
  by: [['product'], ['product', 'country'], []],
  window: '1d',
  measures: { orders: 'count', revenue: { sum: ['quantity', 'price'] } },
  keep: 'forever',
  graceMs: 0,
};

function deploymentWith(...cubes: readonly object[]): Deployment {
  return {
    name: 'test',
    shards: ['shard-0'],
    partitions: PARTITIONS,
    topics: [
      {
        name: TOPIC,
        partitions: 2,
        retentionMs: 86_400_000,
        retentionBytes: -1,
        records: 'flat',
        deduplicate: { ids: 1000, hours: 24 },
      },
    ],
    events: [
      {
        type: 'purchase',
        topic: TOPIC,
        key: 'product',
        fields: {
          product: { type: 'text', maxBytes: 64 },
          country: { type: 'text', maxBytes: 64, optional: true },
          quantity: { type: 'i64' },
          price: { type: 'decimal', scale: 3 },
        },
      },
    ],
    cells: [],
    cubes: cubes.map((declaration, index) => ({
      file: `cubes/${index}.json`,
      declaration: declaration as Record<string, unknown>,
    })),
    edges: [],
    mappings: [],
  };
}

interface Page {
  readonly rows: Record<string, unknown>[];
  readonly cursor?: string;
}

/** A grid of one test shard, a log, and analytics services in front of HTTP servers. */
class System {
  readonly log: MemoryEventLog = new MemoryEventLog({ clock: systemClock });
  readonly random = seededRandom(5);
  readonly network: MemoryNetwork = new MemoryNetwork({ clock: systemClock, random: this.random });
  readonly maps: MemorySharedMaps = new MemorySharedMaps(systemClock);
  shard: StoreShard | null = null;

  async open(): Promise<void> {
    await (await FactsRow.open(this.maps)).record(newFacts(PARTITIONS, '00'));
    const table = await PartitionTable.open({ maps: this.maps, partitions: PARTITIONS, logger: silentLogger });
    await table.ensureRows(['shard-0']);
    for (let partition = 0; partition < PARTITIONS; partition++) await activate(table, partition);
    const schemas = new SchemaTable();
    await (
      await SchemaCatalogue.open({ maps: this.maps, schemas, logger: silentLogger })
    ).caughtUp;
    this.shard = new StoreShard(this.network.connect(), 'test', 'shard-0', PARTITIONS, schemas, systemClock);
    await this.log.ensureTopics(topicSpecs(deploymentWith(SALES).topics));
  }

  async send(ids: readonly number[]): Promise<void> {
    const producer = await this.log.producer();
    await producer.send(
      TOPIC,
      ids.map((id) => ({
        key: `p${id % 5}`,
        value: JSON.stringify({
          id,
          type: 'purchase',
          time: '2010-12-01T08:26:00Z',
          product: `p${id % 5}`,
          country: id % 2 === 0 ? 'fr' : null,
          quantity: 2,
          price: '0.125',
        }),
      })),
    );
    await producer.close();
  }

  async start(deployment: Deployment, rebuild: readonly string[] = []): Promise<Analytics> {
    const service = await startAnalytics(
      { deployment, rebuild },
      {
        bus: this.network.connect(),
        maps: this.maps,
        eventLog: this.log,
        clock: systemClock,
        random: this.random,
        logger: silentLogger,
        meter: silentMeter,
        starting: () => undefined,
        stopping: new AbortController().signal,
      },
    );
    const http = await HttpServer.open({
      host: '127.0.0.1',
      port: 0,
      health: new Health(),
      meter: new PrometheusMeter('test'),
      logger: silentLogger,
      clock: systemClock,
    });
    await http.mount(service.routes!);
    return new Analytics(service, http);
  }

  /** Cells in all stores. */
  get cells(): number {
    return this.shard!.stores.reduce((cells, store) => cells + store.cells, 0);
  }
}

class Analytics {
  readonly service: RunningService;
  readonly #http: HttpServer;

  constructor(service: RunningService, http: HttpServer) {
    this.service = service;
    this.#http = http;
  }

  async get<T>(path: string): Promise<{ status: number; body: T }> {
    const response = await fetch(`http://127.0.0.1:${this.#http.port}${path}`);
    return { status: response.status, body: (await response.json()) as T };
  }

  /** Hands over the page of each event; ends with the stream. */
  async follow(path: string, onPage: (page: Page) => void): Promise<void> {
    const { body } = await fetch(`http://127.0.0.1:${this.#http.port}${path}`);
    let text = '';
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split('\n\n');
      text = events.pop()!;
      for (const event of events) if (event.startsWith('data: ')) onPage(JSON.parse(event.slice(6)) as Page);
    }
  }

  async orders(cube = 'sales'): Promise<unknown> {
    const { body } = await this.get<Page>(`/v1/cubes/${cube}?by=&panes=merged`);
    return body.rows[0]?.['orders'];
  }

  untilOrders(orders: number, cube?: string): Promise<void> {
    return until(systemClock, async () => (await this.orders(cube)) === orders, DEADLINE_MS, `${orders} orders`);
  }

  async stop(): Promise<void> {
    await this.service.drain();
    await this.#http.close();
  }
}

async function activate(table: PartitionTable, partition: number): Promise<void> {
  const row = await table.claim(partition, 'shard-0', 'shard-0@0000000000000000');
  await table.activate(row);
}

const ids = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('analytics', () => {
  it('counts what is sent and answers from the grid, also after a restart', async () => {
    const system = new System();
    await system.open();
    const first = await system.start(deploymentWith(SALES));
    await system.send([...ids(0, 100), ...ids(50, 80)]);
    await first.untilOrders(100);
    const { body } = await first.get<Page>('/v1/cubes/sales?by=product,country&country=null&order=-orders&limit=2');
    expect(body.rows).toEqual([
      { pane: '2010-12-01T00:00:00.000Z', product: 'p0', country: null, orders: 10, revenue: '2.500', final: false },
      { pane: '2010-12-01T00:00:00.000Z', product: 'p1', country: null, orders: 10, revenue: '2.500', final: false },
    ]);
    expect(body.cursor).toEqual(expect.any(String));
    await first.stop();
    const second = await system.start(deploymentWith(SALES));
    expect(await second.orders()).toBe(100);
    await system.send(ids(90, 120));
    await second.untilOrders(120);
    await second.stop();
  }, 30_000);

  it('lists its cubes, and refuses with problem details that say what is possible', async () => {
    const system = new System();
    await system.open();
    const analytics = await system.start(deploymentWith(SALES));
    const list = await analytics.get<{ cubes: { name: string; by: string[][] }[] }>('/v1/cubes');
    expect(list.body.cubes).toEqual([
      expect.objectContaining({ name: 'sales', by: [['product'], ['product', 'country'], []], window: '1d' }),
    ]);
    const problems = await Promise.all(
      [
        '/v1/cubes/sale',
        '/v1/cubes/sales?by=country',
        '/v1/cubes/sales?from=2010-12-01T08:00:00Z',
        '/v1/cubes/sales?limit=x',
      ].map(async (path) => {
        const { status, body } = await analytics.get<{ code: string; detail: string }>(path);
        return [status, body.code, body.detail];
      }),
    );
    expect(problems).toEqual([
      [404, 'NOT_FOUND', 'there is no such cube; there are sales'],
      [404, 'NOT_FOUND', expect.stringContaining('[product] [product,country] []')],
      [400, 'BAD_REQUEST', expect.stringContaining('2010-12-01T00:00:00.000Z or 2010-12-02T00:00:00.000Z')],
      [400, 'BAD_REQUEST', expect.stringContaining('1 to 10000')],
    ]);
    await analytics.stop();
  }, 30_000);

  it('tells a follower each answer that differs, and ends the stream with the process', async () => {
    const system = new System();
    await system.open();
    const analytics = await system.start(deploymentWith(SALES));
    const orders: unknown[] = [];
    const followed = analytics.follow('/v1/cubes/sales/live?by=&panes=merged', (page) =>
      orders.push(page.rows[0]?.['orders'] ?? 0),
    );
    await until(systemClock, () => orders.length === 1, DEADLINE_MS, 'the first answer');
    await system.send(ids(0, 100));
    await until(systemClock, () => orders.at(-1) === 100, DEADLINE_MS, '100 orders');
    expect(orders[0]).toBe(0);
    expect(new Set(orders).size).toBe(orders.length);
    const refused = await analytics.get<{ code: string }>('/v1/cubes/sales/live?by=&cursor=x');
    expect([refused.status, refused.body.code]).toEqual([400, 'BAD_REQUEST']);
    await analytics.stop();
    await followed;
  }, 30_000);

  it('refuses a changed cube under its old name, and counts it anew when it is told to', async () => {
    const system = new System();
    await system.open();
    const other = { ...SALES, name: 'other' };
    const first = await system.start(deploymentWith(SALES, other));
    await system.send(ids(0, 60));
    await first.untilOrders(60);
    await first.untilOrders(60, 'other');
    await first.stop();
    const changed = { ...SALES, window: '1h' };
    await expect(system.start(deploymentWith(changed, other))).rejects.toMatchObject({
      code: 'INCOMPATIBLE',
      message: 'cube sales is not the one that was counted: rename it, or --rebuild-cube sales',
    });
    const before = system.cells;
    const second = await system.start(deploymentWith(changed, other), ['sales']);
    await second.untilOrders(60);
    const { body } = await second.get<Page>('/v1/cubes/sales?by=');
    expect(body.rows).toEqual([{ pane: '2010-12-01T08:00:00.000Z', orders: 60, revenue: '15.000', final: false }]);
    await until(systemClock, () => system.cells < before + 20, DEADLINE_MS, 'the old cells to go');
    await system.send(ids(60, 90));
    await second.untilOrders(90);
    await second.untilOrders(90, 'other');
    await second.stop();
  }, 60_000);

  it('waits while a shard is full, says so, and loses nothing', async () => {
    const system = new System();
    await system.open();
    const analytics = await system.start(deploymentWith(SALES));
    system.shard!.refuse = (partition) =>
      partition % 2 === 0 ? new NiobeError('STORE_FULL', 'the shard is full', { retryAfterMs: 100 }) : null;
    await system.send(ids(0, 100));
    await until(systemClock, () => !analytics.service.readiness().ready, DEADLINE_MS, 'not ready');
    expect(analytics.service.readiness().reason).toMatch(/topic sales, partition \d: STORE_FULL: the shard is full/);
    system.shard!.refuse = () => null;
    await analytics.untilOrders(100);
    await until(systemClock, () => analytics.service.readiness().ready, DEADLINE_MS, 'ready');
    await analytics.stop();
  }, 30_000);

  it('refuses to rebuild what is not declared', async () => {
    const system = new System();
    await system.open();
    await expect(system.start(deploymentWith(SALES), ['sale'])).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });
});
