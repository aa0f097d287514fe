import { describe, expect, it } from '@jest/globals';
import { compileSchema, type CompiledSchema } from '@niobe/cells';
import { MemoryEventLog, topicSpecs, type OutgoingRecord } from '@niobe/events';
import { SEEN_SCHEMA, SEEN_SCHEMA_ID } from '@niobe/grid';
import { seededRandom, silentLogger, silentMeter, systemClock, until, type Random } from '@niobe/kernel';
import type { Cube } from '../cube/cube.ts';
import { ACTIVITY, CATALOGUE, cubesOf, schemasOf, TOPIC, TOTALS } from '../../fixtures/sales.ts';
import { MemoryGrid } from '../../fixtures/memory-grid.ts';
import { Aggregator } from './aggregator.ts';
import { laneCounters } from './lane-counters.ts';

const PARTITIONS = 8;
const KAFKA_PARTITIONS = TOPIC.partitions;
const DEADLINE_MS = 20_000;

const cubes = cubesOf(ACTIVITY, TOTALS);
const schemas = schemasOf(cubes);
const seenSchema = compileSchema(SEEN_SCHEMA_ID, 1, SEEN_SCHEMA);
const byId = new Map([...schemas.values(), seenSchema].map((schema) => [schema.id, schema]));

/** A log with the sales topic, a grid, and aggregators that can be started and killed. */
class World {
  readonly log: MemoryEventLog = new MemoryEventLog({ clock: systemClock });
  readonly grid: MemoryGrid;
  readonly random: Random;
  #runs = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.grid = new MemoryGrid(PARTITIONS, (id) => byId.get(id)!, this.random);
  }

  async open(): Promise<void> {
    await this.log.ensureTopics(topicSpecs(CATALOGUE.topics));
  }

  async send(partition: number, records: readonly unknown[]): Promise<void> {
    const producer = await this.log.producer();
    const outgoing = records.map((record): OutgoingRecord => ({ partition, key: 'k', value: JSON.stringify(record) }));
    await producer.send(TOPIC.name, outgoing);
    await producer.close();
  }

  async start(started: readonly Cube[] = cubes): Promise<Aggregator> {
    this.#runs += 1;
    return new Aggregator(
      {
        grid: this.grid,
        log: this.log,
        producer: await this.log.producer(),
        catalogue: CATALOGUE,
        schemaOf: (name): CompiledSchema => schemas.get(name)!,
        seenSchema,
        group: `test-${this.#runs}`,
        writer: `run${this.#runs}`,
        counters: laneCounters(silentMeter),
        clock: systemClock,
        random: this.random,
        logger: silentLogger,
      },
      started,
    );
  }

  /** Waits until an aggregator has read all there is. */
  async caughtUp(aggregator: Aggregator): Promise<void> {
    await until(systemClock, async () => (await this.#lag(aggregator)) === 0, DEADLINE_MS, 'catching up');
  }

  async #lag(aggregator: Aggregator): Promise<number> {
    const offsets = await this.log.offsets(TOPIC.name);
    const report = aggregator.report();
    if (aggregator.lanes === 0 || report.length < aggregator.lanes * KAFKA_PARTITIONS) return 1;
    return report.reduce((lag, { partition, position }) => lag + offsets[partition]!.latest - (position ?? -1), 0);
  }

  /** The cells of a dimension set as `dimensions|...|measures` lines. */
  rows(cube: Cube, set: number): string[] {
    const schema = schemas.get(cube.sets[set]!.schema.name)!;
    const cells = this.grid.cells.flatMap((partition) => [...partition.values()]);
    const records = cells
      .filter((cell) => cell.schema.id === schema.id)
      .map(({ body }) => schema.decode(body, 0, body.length));
    return records.map((record) => (Object.values(record) as (string | number | bigint)[]).join('|')).toSorted();
  }

  deadLetters(): Promise<number> {
    return this.log.offsets(`${TOPIC.name}.dead`).then((offsets) => offsets[0]!.latest);
  }
}

const TIME = '2024-05-31T12:00:00Z';

function purchase(id: number, product = `p${id % 7}`): object {
  return {
    id: `e${id}`,
    type: 'purchase',
    time: TIME,
    product,
    country: id % 3 === 0 ? null : `c${id % 3}`,
    quantity: 1 + (id % 5),
    price: '1.250',
  };
}

/** Counts of ids as the total of `activity` must have them. */
function totalOf(ids: readonly number[]): string {
  const quantities = ids.map((id) => 1 + (id % 5));
  const units = quantities.reduce((sum, quantity) => sum + quantity, 0);
  const cheapest = '1.250';
  return [Date.parse(TIME), quantities.length, units * 1250, units, cheapest, Math.max(...quantities)].join('|');
}

const [activity] = cubes as [Cube, Cube];
const TOTAL_SET = 3;

describe('Aggregator', () => {
  it('counts each event once, duplicates not, and sends what is no event to the dead letters', async () => {
    const world = new World(1);
    await world.open();
    const aggregator = await world.start();
    const ids = Array.from({ length: 50 }, (_, id) => id);
    await world.send(0, [...ids.map((id) => purchase(id)), ...ids.slice(0, 30).map((id) => purchase(id))]);
    await world.send(1, [{ type: 'unknown' }, 'no event', { ...purchase(500), quantity: 'many' }]);
    await world.caughtUp(aggregator);
    expect(world.rows(activity, TOTAL_SET)).toEqual([totalOf(ids)]);
    expect(await world.deadLetters()).toBe(3);
    await aggregator.drain();
  });

  it('is exact while aggregators are killed, run side by side, and sections are refused or their answers lost', async () => {
    for (const seed of [11, 12]) await verifyKillsAndFaults(seed);
  }, 60_000);

  it('keeps its decisions over a restart, also where the records around it alone would say otherwise', async () => {
    const world = new World(6);
    await world.open();
    const first = await world.start();
    const filler = (from: number, count: number): object[] =>
      Array.from({ length: count }, (_, index) => purchase(from + index));
    // At 0 new, at 50 a duplicate of 0, at 100 new again: 0 is out of the window of 60, and 50 was never remembered.
    await world.send(0, [purchase(7), ...filler(1000, 49), purchase(7), ...filler(2000, 39)]);
    await world.caughtUp(first);
    await first.drain();
    const second = await world.start();
    await world.send(0, [...filler(3000, 10), purchase(7)]);
    await world.caughtUp(second);
    const ids = [
      7,
      7,
      ...[1000, 2000, 3000].flatMap((from, i) => Array.from({ length: [49, 39, 10][i]! }, (_, index) => from + index)),
    ];
    expect(world.rows(activity, TOTAL_SET)).toEqual([totalOf(ids)]);
    await second.drain();
  });

  it('lets a new cube catch up in a lane of its own and joins it', async () => {
    const world = new World(3);
    await world.open();
    const ids = Array.from({ length: 500 }, (_, id) => id);
    const first = await world.start([activity]);
    await world.send(
      0,
      ids.map((id) => purchase(id)),
    );
    await world.caughtUp(first);
    await first.drain();
    const second = await world.start(cubes);
    await until(systemClock, () => second.lanes === 2, DEADLINE_MS, 'two lanes');
    await world.caughtUp(second);
    await until(systemClock, () => second.lanes === 1 && second.trouble === null, DEADLINE_MS, 'one lane');
    await world.send(
      1,
      ids.map((id) => purchase(id + 1000)),
    );
    await world.caughtUp(second);
    expect(world.rows(activity, TOTAL_SET)).toEqual([totalOf([...ids, ...ids.map((id) => id + 1000)])]);
    const gifts = world.rows(cubes[1]!, 0);
    expect(gifts).toEqual(['0||1000']);
    await second.drain();
  }, 40_000);

  it('goes on with the other grid partitions when one is damaged, and says so', async () => {
    const world = new World(4);
    await world.open();
    world.grid.damaged.add(3);
    const aggregator = await world.start();
    await world.send(
      0,
      Array.from({ length: 200 }, (_, id) => purchase(id, `product ${id}`)),
    );
    await until(
      systemClock,
      () => aggregator.report().some(({ position }) => position === 200),
      DEADLINE_MS,
      'the end',
    );
    expect(world.grid.cells[3]!.size).toBe(0);
    expect(world.rows(activity, 0).length).toBeGreaterThan(100);
    await until(systemClock, () => aggregator.trouble?.includes('damaged') === true, DEADLINE_MS, 'the report');
    await aggregator.drain();
  });

  it('says what is missing when Kafka no longer has what a cursor needs', async () => {
    const world = new World(5);
    await world.open();
    const first = await world.start();
    await world.send(0, [purchase(1)]);
    await world.caughtUp(first);
    await first.drain();
    for (const applied of world.grid.applied)
      for (const [source, { watermarkMs }] of applied) applied.set(source, { offset: 7, watermarkMs });
    const second = await world.start();
    await until(systemClock, () => second.trouble?.includes('OFFSET_GONE') === true, DEADLINE_MS, 'the error');
    expect(second.trouble).toMatch(/topic sales, partition \d.*cursor .* is 7, but Kafka has 0 to [01]/);
    await second.drain();
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
  world.grid.faults = { refused: 0.02, answerLost: 0.05 };
  const sent = Array.from({ length: KAFKA_PARTITIONS }, (): number[] => []);
  let running: Aggregator[] = [];
  for (let round = 0; round < 12; round++) {
    running.push(await world.start());
    for (let burst = 0; burst < 4; burst++) {
      for (const [partition, all] of sent.entries()) {
        const ids = Array.from({ length: world.random.below(40) }, () => all.length + world.random.below(60) - 30);
        all.push(...ids);
        await world.send(
          partition,
          ids.map((id) => purchase(2000 + id * KAFKA_PARTITIONS + partition)),
        );
      }
      await until(systemClock, () => world.random.next() < 0.2, DEADLINE_MS, 'a moment', 5);
    }
    if (running.length < 2 && world.random.next() < 0.4) continue;
    // A kill: what it had in flight may still arrive, the rest is never sent.
    for (const aggregator of running.splice(0, 1 + world.random.below(running.length))) void aggregator.close();
  }
  world.grid.faults = { refused: 0, answerLost: 0 };
  running.push(await world.start());
  await world.caughtUp(running.at(-1)!);
  const expected = sent.flatMap((all, partition) => counted(all).map((id) => 2000 + id * KAFKA_PARTITIONS + partition));
  expect([seed, world.rows(activity, TOTAL_SET)]).toEqual([seed, [totalOf(expected)]]);
  for (const aggregator of running) await aggregator.drain();
}
