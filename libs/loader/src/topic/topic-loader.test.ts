import { describe, expect, it } from '@jest/globals';
import { MemoryEventLog, topicSpecs } from '@niobe/events';
import { OpKind } from '@niobe/grid';
import { seededRandom, silentLogger, silentMeter, systemClock, until, type Random } from '@niobe/kernel';
import { MemoryGraph } from '../../fixtures/memory-graph.ts';
import {
  CATALOGUE,
  EDGES,
  mappingsOf,
  MEETINGS,
  SCHEMAS,
  schemaOf,
  SEEN,
  SHOPPING,
  TOPIC,
} from '../../fixtures/shopping.ts';
import { IdCache } from '../keys/id-cache.ts';
import { KnownEdges } from '../links/known-edges.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { loaderCounters, type LoaderCounters } from './loader-counters.ts';
import { TopicLoader } from './topic-loader.ts';

const PARTITIONS = 8;
const DEADLINE_MS = 20_000;
const START_MS = Date.parse('2024-05-31T12:00:00Z');

const mappings = mappingsOf(SHOPPING, MEETINGS);
const byId = new Map([...SCHEMAS.values(), SEEN].map((schema) => [schema.id, schema]));

/** Counts by counter, of every loader of a world. */
type Counts = Record<keyof LoaderCounters, number>;

/** A log with the shop's topic, a grid, and loaders that can be started and killed. */
class World {
  readonly log = new MemoryEventLog({ clock: systemClock });
  readonly random: Random;
  readonly graph: MemoryGraph;
  readonly counts = {} as Counts;
  readonly #counters: LoaderCounters;
  #runs = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.graph = new MemoryGraph(PARTITIONS, (id) => byId.get(id)!, this.random);
    const counters = loaderCounters(silentMeter);
    this.#counters = Object.fromEntries(
      Object.keys(counters).map((name) => {
        const add = (by: number): void => {
          this.counts[name as keyof Counts] = (this.counts[name as keyof Counts] ?? 0) + by;
        };
        return [name, { add, observe: () => undefined }];
      }),
    ) as unknown as LoaderCounters;
  }

  async open(): Promise<void> {
    await this.log.ensureTopics(topicSpecs(CATALOGUE.topics));
  }

  async send(partition: number, records: readonly unknown[]): Promise<void> {
    const producer = await this.log.producer();
    await producer.send(
      TOPIC.name,
      records.map((record) => ({ partition, key: 'k', value: JSON.stringify(record) })),
    );
    await producer.close();
  }

  /** @param places of the memory of edges: few of them forget often. */
  start(places = 64, started: readonly Mapping[] = mappings): TopicLoader {
    this.#runs += 1;
    return new TopicLoader(
      {
        grid: this.graph,
        ids: this.graph,
        cache: new IdCache(PARTITIONS, 64),
        known: new KnownEdges(places),
        log: this.log,
        catalogue: CATALOGUE,
        schemaOf,
        seenSchema: SEEN,
        group: `test-${this.#runs}`,
        writer: `run${this.#runs}`,
        counters: this.#counters,
        clock: systemClock,
        random: this.random,
        logger: silentLogger,
      },
      started,
    );
  }

  async caughtUp(loader: TopicLoader): Promise<void> {
    await until(systemClock, async () => (await this.#lag(loader)) === 0, DEADLINE_MS, 'catching up');
  }

  async #lag(loader: TopicLoader): Promise<number> {
    const offsets = await this.log.offsets(TOPIC.name);
    const report = loader.report();
    if (loader.lanes === 0 || report.length < loader.lanes * TOPIC.partitions) return 1;
    return report.reduce((lag, { partition, position }) => lag + offsets[partition]!.latest - (position ?? -1), 0);
  }

  /** The edges of a type by `from>to`, read from both ends, with their counters. */
  edges(name: string): Record<string, unknown> {
    const type = EDGES.find((edge) => edge.name === name)!;
    const from = this.graph.keysOf(schemaOf(type.from));
    const to = this.graph.keysOf(schemaOf(type.to));
    const counters = type.counterSchema === null ? {} : this.graph.records(schemaOf(type.counterSchema));
    const edges: Record<string, unknown> = {};
    for (const [own, list] of this.graph.lists(schemaOf(type.adjacency('out'))))
      for (const id of list) edges[`${from.get(own)}>${to.get(id)}`] = counters[`${own}:${id}`] ?? null;
    const back: string[] = [];
    for (const [own, list] of this.graph.lists(schemaOf(type.adjacency('in'))))
      for (const id of list) back.push(`${from.get(id)}>${to.get(own)}`);
    expect(back.toSorted()).toEqual(Object.keys(edges).toSorted());
    return edges;
  }
}

function purchase(id: number): Record<string, unknown> {
  return {
    id: `e${id}`,
    type: 'purchase',
    time: new Date(START_MS + id * 1000).toISOString(),
    user: id % 11 === 0 ? null : `u${id % 17}`,
    product: `p${id % 131}`,
    shelf: id % 5 === 0 ? null : id % 3,
    country: id % 13 === 0 ? null : `c${id % 3}`,
    quantity: 1 + (id % 4),
    price: `${id % 9}.50`,
  };
}

interface Meeting {
  readonly one: string;
  readonly other: string;
  readonly minutes: number;
}

function meeting(id: number): Meeting & Record<string, unknown> {
  return { id: `m${id}`, type: 'meeting', one: `u${id % 6}`, other: `u${(id * 5) % 7}`, minutes: id % 4 };
}

interface Expected {
  readonly purchased: Record<string, { orders: number; quantity: number; last: number }>;
  readonly stands: Record<string, null>;
  readonly users: Record<string, { first: number; last: number }>;
  readonly products: Record<string, { dearest: string }>;
}

/** What purchases come to, by plain objects. */
function expectedOf(ids: readonly number[]): Expected {
  const expected: Expected = { purchased: {}, stands: {}, users: {}, products: {} };
  for (const id of ids) {
    const { user, product, shelf, quantity, price } = purchase(id) as Record<string, string>;
    const time = START_MS + id * 1000;
    const dearest = expected.products[product!]?.dearest ?? '0.00';
    expected.products[product!] = { dearest: Number(price) > Number(dearest) ? price! : dearest };
    if (shelf !== null) expected.stands[`${product}>${shelf}`] = null;
    if (user === null) continue;
    const known = expected.users[user!];
    expected.users[user!] = { first: Math.min(known?.first ?? time, time), last: Math.max(known?.last ?? time, time) };
    const edge = (expected.purchased[`${user}>${product}`] ??= { orders: 0, quantity: 0, last: 0 });
    edge.orders += 1;
    edge.quantity += Number(quantity);
    edge.last = Math.max(edge.last, time);
  }
  return expected;
}

function verifyPurchases(world: World, ids: readonly number[]): void {
  const { purchased, stands, users, products } = expectedOf(ids);
  expect(world.edges('purchased')).toEqual(purchased);
  expect(world.edges('stands')).toEqual(stands);
  const found = world.graph.records(schemaOf('user'));
  expect(Object.fromEntries(Object.entries(found).map(([key, { first, last }]) => [key, { first, last }]))).toEqual(
    users,
  );
  expect(world.graph.records(schemaOf('product'))).toEqual(products);
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('TopicLoader', () => {
  it('makes vertices and edges of events, each event once, and counts what it passes over', async () => {
    const world = new World(1);
    await world.open();
    const loader = world.start();
    const ids = range(0, 50);
    await world.send(0, [...ids.map(purchase), ...ids.slice(0, 30).map(purchase)]);
    await world.send(1, [{ type: 'unknown' }, 'no event', ...range(100, 40).map(purchase)]);
    await world.caughtUp(loader);
    const all = [...ids, ...range(100, 40)];
    verifyPurchases(world, all);
    expect(world.counts.events).toBe(90);
    expect(world.counts.duplicates).toBe(30);
    expect(world.counts.deadLetters).toBe(2);
    // A purchase without a user lacks the vertex and the edge; one without a shelf likewise.
    const absent = all.filter((id) => id % 11 === 0).length + all.filter((id) => id % 5 === 0).length;
    expect(world.counts.absentKeys).toBe(2 * absent);
    await loader.drain();
  });

  it('lists an edge without direction at both its ends, a self-loop once, and counts it under one pair', async () => {
    const world = new World(2);
    await world.open();
    const loader = world.start();
    await world.send(0, range(0, 60).map(meeting));
    await world.caughtUp(loader);
    const minutes: Record<string, number> = {};
    for (const event of range(0, 60).map(meeting)) {
      for (const pair of new Set([`${event.one}>${event.other}`, `${event.other}>${event.one}`]))
        minutes[pair] = (minutes[pair] ?? 0) + event.minutes;
    }
    const counters = world.graph.records(schemaOf('edge.met'));
    const keys = world.graph.keysOf(schemaOf('user'));
    expect(Object.keys(world.edges('met')).toSorted()).toEqual(Object.keys(minutes).toSorted());
    for (const [pair, record] of Object.entries(counters)) {
      const [from, to] = pair.split(':').map(Number) as [number, number];
      expect(from).toBeLessThanOrEqual(to);
      expect(record['minutes']).toBe(minutes[`${keys.get(from)}>${keys.get(to)}`]);
    }
    await loader.drain();
  });

  it('sends neither vertices nor links again for what it knows', async () => {
    const world = new World(3);
    await world.open();
    const loader = world.start(65_536);
    await world.send(0, range(0, 20).map(meeting));
    await world.caughtUp(loader);
    const before = new Map(world.graph.ops);
    await world.send(
      0,
      range(0, 20).map((id) => ({ ...meeting(id), id: `again${id}` })),
    );
    await world.caughtUp(loader);
    expect(world.graph.ops.get(OpKind.LINK)).toBe(before.get(OpKind.LINK));
    await loader.drain();
  });

  it('leaves a field alone of which nothing is told', async () => {
    const world = new World(4);
    await world.open();
    const loader = world.start();
    await world.send(0, [purchase(1), { ...meeting(1), one: 'u1', other: 'u1' }]);
    await world.caughtUp(loader);
    await world.send(0, [{ ...meeting(2), one: 'u1', other: 'u2' }]);
    await world.caughtUp(loader);
    const time = START_MS + 1000;
    expect(world.graph.records(schemaOf('user'))['u1']).toEqual({ country: 'c1', first: time, last: time });
    expect(world.graph.records(schemaOf('user'))['u2']).toEqual({ country: null, first: null, last: null });
    await loader.drain();
  });

  it('is exact while loaders are killed, run side by side, and sections are refused or their answers lost', async () => {
    for (const seed of [11, 12, 13]) await verifyKillsAndFaults(seed);
  }, 60_000);

  it('waits for a grid partition that is damaged, and says so', async () => {
    const world = new World(5);
    await world.open();
    world.graph.damaged.add(3);
    const loader = world.start();
    await world.send(0, range(0, 40).map(purchase));
    await until(systemClock, () => loader.trouble?.includes('PARTITION_DAMAGED') === true, DEADLINE_MS, 'the report');
    world.graph.damaged.clear();
    await world.caughtUp(loader);
    verifyPurchases(world, range(0, 40));
    await loader.drain();
  });

  it('sends links in parts where they are too much for one batch', async () => {
    const world = new World(7);
    await world.open();
    world.graph.linksMax = 12;
    world.graph.faults = { refused: 0, answerLost: 0.02, idsRefused: 0 };
    const loader = world.start();
    await world.send(0, range(0, 300).map(purchase));
    await world.caughtUp(loader);
    verifyPurchases(world, range(0, 300));
    await loader.drain();
  });

  it('leaves out a sum that does not fit its field, and goes on', async () => {
    const world = new World(6);
    await world.open();
    const loader = world.start();
    await world.send(0, [purchase(1)]);
    await world.caughtUp(loader);
    world.graph.overwrite(schemaOf('edge.purchased'), { orders: 2n ** 64n - 1n, quantity: null, last: null });
    await world.send(0, [purchase(1 + 17 * 131), purchase(2)]);
    await world.caughtUp(loader);
    expect(world.edges('purchased')['u1>p1']).toMatchObject({ orders: 2n ** 64n - 1n });
    expect(world.edges('purchased')['u2>p2']).toMatchObject({ orders: 1 });
    expect(world.counts.overflows).toBe(1);
    await loader.drain();
  });
});

/** Ids that count, by the definition of the window over everything that was sent to one Kafka partition. */
function counted(sent: readonly number[]): number[] {
  const newest = new Map<number, number>();
  return sent.filter((id, offset) => {
    const first = newest.get(id);
    if (first !== undefined && offset - first <= TOPIC.deduplicate.ids) return false;
    newest.set(id, offset);
    return true;
  });
}

async function verifyKillsAndFaults(seed: number): Promise<void> {
  const world = new World(seed);
  await world.open();
  world.graph.faults = { refused: 0.02, answerLost: 0.05, idsRefused: 0.05 };
  const sent = Array.from({ length: TOPIC.partitions }, (): number[] => []);
  let running: TopicLoader[] = [];
  for (let round = 0; round < 12; round++) {
    running.push(world.start());
    for (let partition = 0; partition < TOPIC.partitions; partition++) {
      const ids = Array.from({ length: 40 }, () => Math.floor(world.random.next() * 400));
      sent[partition]!.push(...ids);
      await world.send(partition, ids.map(purchase));
    }
    if (world.random.next() < 0.3) await world.caughtUp(running.at(-1)!);
    if (world.random.next() < 0.7) {
      await Promise.all(running.map((loader) => loader.close()));
      running = [];
    }
  }
  world.graph.faults = { refused: 0, answerLost: 0, idsRefused: 0 };
  const last = world.start();
  await world.caughtUp(last);
  verifyPurchases(world, sent.flatMap(counted));
  await Promise.all([last, ...running].map((loader) => loader.close()));
}
