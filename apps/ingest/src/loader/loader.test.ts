import { describe, expect, it } from '@jest/globals';
import { SchemaTable } from '@niobe/cells';
import { MemoryEventLog, topicSpecs, type Deployment } from '@niobe/events';
import { auditStores, compileEdgeTypes } from '@niobe/graph';
import {
  FactsRow,
  GridClient,
  MemoryNetwork,
  MemorySharedMaps,
  newFacts,
  PartitionTable,
  SchemaCatalogue,
  type MemoryBus,
} from '@niobe/grid';
import { NiobeError, seededRandom, silentLogger, silentMeter, systemClock, until } from '@niobe/kernel';
import { PrometheusMeter, type RunningService } from '@niobe/service';
import { StoreShard } from '@niobe/testing';
import { startIngest, type IngestRole } from '../service.ts';

const PARTITIONS = 16;
const DEADLINE_MS = 20_000;
const TOPIC = 'shop-events';
const text = { type: 'text', maxBytes: 64 } as const;

const SHOPPING = {
  name: 'shopping',
  on: { purchase: { edges: [{ edge: 'purchased', from: 'user', to: 'product', add: { orders: 1, units: 'units' } }] } },
};

const PURCHASED = {
  file: 'edges/purchased.json',
  declaration: {
    name: 'purchased',
    from: 'user',
    to: 'product',
    counters: { orders: { type: 'u64' }, units: { type: 'u64' } },
  },
};

function deploymentWith(...mappings: readonly object[]): Deployment {
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
        key: 'user',
        fields: { user: { ...text, optional: true }, product: text, units: { type: 'u32' } },
      },
    ],
    cells: [
      { name: 'user', key: 'text', fields: {} },
      { name: 'product', key: 'text', fields: { price: { type: 'decimal', scale: 2, optional: true } } },
    ],
    cubes: [],
    edges: [PURCHASED],
    mappings: mappings.map((declaration, index) => ({
      file: `mappings/${index}.json`,
      declaration: declaration as Record<string, unknown>,
    })),
  };
}

/** A grid of one test shard, a log, and ingest services that come and go. */
class System {
  readonly log = new MemoryEventLog({ clock: systemClock });
  readonly random = seededRandom(7);
  readonly network = new MemoryNetwork({ clock: systemClock, random: this.random });
  readonly maps = new MemorySharedMaps(systemClock);
  readonly schemas = new SchemaTable();
  readonly #buses = new Map<RunningService, MemoryBus>();
  shard: StoreShard | null = null;
  meter = new PrometheusMeter('ingest');
  #client: GridClient | null = null;

  async open(): Promise<void> {
    await (await FactsRow.open(this.maps)).record(newFacts(PARTITIONS, '00'));
    const table = await PartitionTable.open({ maps: this.maps, partitions: PARTITIONS, logger: silentLogger });
    await table.ensureRows(['shard-0']);
    for (let partition = 0; partition < PARTITIONS; partition++)
      await table.activate(await table.claim(partition, 'shard-0', 'shard-0@0000000000000000'));
    const { maps, schemas, random } = this;
    await (
      await SchemaCatalogue.open({ maps, schemas, logger: silentLogger })
    ).caughtUp;
    this.shard = new StoreShard(this.network.connect(), 'test', 'shard-0', PARTITIONS, schemas, systemClock);
    const bus = this.network.connect();
    this.#client = new GridClient({ bus, table, clock: systemClock, random, deployment: 'test', meter: silentMeter });
    await this.log.ensureTopics(topicSpecs(deploymentWith(SHOPPING).topics));
  }

  async start(deployment: Deployment, roles: readonly IngestRole[] = ['loader']): Promise<RunningService> {
    const bus = this.network.connect();
    this.meter = new PrometheusMeter('ingest');
    const service = await startIngest(
      { deployment, roles },
      {
        grid: { bus, maps: this.maps },
        eventLog: this.log,
        clock: systemClock,
        random: this.random,
        logger: silentLogger,
        meter: this.meter,
        starting: () => undefined,
        stopping: new AbortController().signal,
      },
    );
    this.#buses.set(service, bus);
    return service;
  }

  /** As kill -9: nothing that it says is heard any more. */
  async kill(service: RunningService): Promise<void> {
    await this.#buses.get(service)!.close();
    await service.drain();
  }

  async send(ids: readonly number[]): Promise<void> {
    const producer = await this.log.producer();
    const records = ids.map((id) => ({
      partition: id % 2,
      key: 'k',
      value: JSON.stringify({ id, type: 'purchase', user: userOf(id), product: `p${id % 13}`, units: id % 4 }),
    }));
    await producer.send(TOPIC, records);
    await producer.close();
  }

  /** Waits until all that was sent is in, which must be what these ids come to, seen from both ends of every edge. */
  async verify(ids: readonly number[]): Promise<void> {
    const expected = expectedOf(ids);
    await until(systemClock, async () => same(await this.counters(), expected), DEADLINE_MS, 'all counters');
    const edges = compileEdgeTypes([PURCHASED], deploymentWith().cells);
    const report = auditStores(this.shard!.stores, edges, this.schemas);
    expect(report.problems).toEqual([]);
    expect(report.edges.get('purchased')?.edges).toBe(Object.keys(expected).length);
  }

  /** `orders/units` by `user>product`. */
  async counters(): Promise<Record<string, string>> {
    const keys = new Map<string, string>();
    for (const name of ['user', 'product'])
      for await (const page of this.#client!.scan(this.schemas.byName(name)!))
        while (page.next()) keys.set(String(page.id), String(page.key()));
    const counters: Record<string, string> = {};
    for await (const page of this.#client!.scan(this.schemas.byName('edge.purchased')!)) {
      while (page.next()) {
        const { orders, units } = page.record() as Record<string, number | bigint>;
        const [from, to] = String(page.key()).split(':') as [string, string];
        counters[`${keys.get(from)}>${keys.get(to)}`] = `${String(orders)}/${String(units)}`;
      }
    }
    return counters;
  }

  /** The value of a metric in the text that Prometheus reads. */
  async metric(name: string): Promise<number> {
    const line = (await this.meter.page()).split('\n').find((row) => row.startsWith(`niobe_ingest_${name} `));
    return Number(line?.split(' ').at(-1));
  }
}

function userOf(id: number): string | null {
  return id % 10 === 0 ? null : `u${id % 23}`;
}

function expectedOf(ids: readonly number[]): Record<string, string> {
  const sums = new Map<string, [number, number]>();
  for (const id of ids) {
    const user = userOf(id);
    if (user === null) continue;
    const edge = `${user}>p${id % 13}`;
    const [orders, units] = sums.get(edge) ?? [0, 0];
    sums.set(edge, [orders + 1, units + (id % 4)]);
  }
  return Object.fromEntries([...sums].map(([edge, [orders, units]]) => [edge, `${orders}/${units}`]));
}

function same(a: Record<string, string>, b: Record<string, string>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('the loader', () => {
  it('makes edges of events, each event once, goes on after a restart, and counts in metrics', async () => {
    const system = new System();
    await system.open();
    const first = await system.start(deploymentWith(SHOPPING));
    await system.send([...range(0, 300), ...range(50, 80)]);
    await system.verify(range(0, 300));
    expect(await system.metric('loader_events_total')).toBe(300);
    expect(await system.metric('loader_events_duplicate_total')).toBe(30);
    // A purchase without a user lacks a vertex and an edge.
    expect(await system.metric('loader_absent_keys_total')).toBe(60);
    expect(first.readiness()).toEqual({ ready: true, reason: '' });
    await first.drain();
    const second = await system.start(deploymentWith(SHOPPING));
    await system.send(range(300, 400));
    await system.verify(range(0, 400));
    expect(await system.metric('loader_events_total')).toBe(100);
    await second.drain();
  });

  it('is exact while loaders are killed, the wire loses and repeats messages, and partitions refuse', async () => {
    const system = new System();
    await system.open();
    let sent = 0;
    for (let round = 0; round < 8; round++) {
      const service = await system.start(deploymentWith(SHOPPING));
      system.network.setFaults({ duplicateChance: 0.05, delayChance: 0.2, delayMsMax: 20 });
      system.shard!.refuse = () => (system.random.next() < 0.05 ? new NiobeError('BUSY', 'a planted refusal') : null);
      await system.send(range(sent, sent + 200));
      sent += 200;
      await until(systemClock, () => system.random.next() < 0.1, DEADLINE_MS, 'a while');
      system.network.setFaults({});
      await system.kill(service);
    }
    system.shard!.refuse = () => null;
    const last = await system.start(deploymentWith(SHOPPING));
    await system.verify(range(0, sent));
    await last.drain();
  }, 60_000);

  it('says why it waits', async () => {
    const system = new System();
    await system.open();
    const loader = await system.start(deploymentWith(SHOPPING));
    system.shard!.refuse = () => new NiobeError('STORE_FULL', 'no memory');
    await system.send([1]);
    await until(systemClock, () => !loader.readiness().ready, DEADLINE_MS, 'not being ready');
    expect(loader.readiness().reason).toMatch(/^topic shop-events, partition 1: STORE_FULL: /);
    system.shard!.refuse = () => null;
    await system.verify([1]);
    await until(systemClock, () => loader.readiness().ready, DEADLINE_MS, 'being ready');
    await loader.drain();
  });

  it('refuses a mapping that changed, declarations that are wrong, and a deployment with nothing to load', async () => {
    const system = new System();
    await system.open();
    await (await system.start(deploymentWith(SHOPPING))).drain();
    const [edge] = SHOPPING.on.purchase.edges;
    const changed = { ...SHOPPING, on: { purchase: { edges: [{ ...edge, add: { orders: 2 } }] } } };
    await expect(system.start(deploymentWith(changed))).rejects.toMatchObject({ code: 'INCOMPATIBLE' });
    const wrong = { ...SHOPPING, on: { purchase: { edges: [{ ...edge, to: 'shop' }] } } };
    await expect(system.start(deploymentWith(wrong))).rejects.toMatchObject({ code: 'BAD_DECLARATION' });
    await expect(system.start(deploymentWith())).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    const collector = await system.start(deploymentWith(), ['collector', 'loader']);
    expect(collector.readiness().ready).toBe(true);
    await collector.drain();
  });
});
