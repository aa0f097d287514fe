import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { compileSchema, SchemaTable } from '@niobe/cells';
import {
  GridClient,
  MemoryShard,
  OpKind,
  PartitionTable,
  SectionBuilder,
  type Bus,
  type PreparedSection,
  type SharedMaps,
} from '@niobe/grid';
import { ByteWriter, silentLogger, silentMeter, systemClock, systemRandom, until } from '@niobe/kernel';
import { connectNats, type NatsGrid } from '@niobe/nats';
import { describeWithLocalNats } from '../describe-when.ts';
import { KillableNats } from './killable-nats.ts';

const PARTITIONS = 8;
const SOON_MS = 30_000;

const views = compileSchema(16, 1, {
  name: 'views',
  key: 'text',
  fields: { count: { type: 'u64', merge: 'add' }, text: { type: 'text', merge: 'keep', maxBytes: 1024 * 1024 } },
});

function section(partition: number, batch: number): PreparedSection {
  const builder = new SectionBuilder();
  const key = new ByteWriter(512);
  const body = new ByteWriter(4096);
  views.encodeKey('all', key);
  views.encode({ count: 1, text: '' }, body);
  builder.start(partition);
  builder.source('test', batch, batch + 1);
  builder.op(OpKind.MERGE, views.id, 0, key.buffer, 0, key.length, body.buffer, 0, body.length);
  return builder.finish();
}

/** A shard that has taken every partition, as its process would at its start. */
async function startShard(bus: Bus, maps: SharedMaps): Promise<void> {
  const schemas = new SchemaTable();
  schemas.add(views);
  const table = await PartitionTable.open({ maps, partitions: PARTITIONS, logger: silentLogger });
  await table.ensureRows(['shard-0']);
  const shard = new MemoryShard({ bus, deployment: 'test', name: 'shard-0', schemas, clock: systemClock });
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const row = await table.claim(partition, 'shard-0', 'f'.repeat(16));
    shard.serve(partition, row.epoch);
    await table.activate(row);
  }
}

describeWithLocalNats('GridClient over a nats-server', () => {
  let nats: KillableNats;
  let shardSide: NatsGrid;
  let clientSide: NatsGrid;
  let client: GridClient;

  function connect(name: string): Promise<NatsGrid> {
    const options = { servers: [nats.url], name, deployment: 'test', replicas: 1, connectTimeoutMs: 10_000 } as const;
    return connectNats({ ...options, clock: systemClock, random: systemRandom(), logger: silentLogger });
  }

  beforeAll(async () => {
    nats = await KillableNats.start();
    [shardSide, clientSide] = [await connect('shard-0'), await connect('client')];
    await startShard(shardSide.bus, shardSide.maps);
    const table = await PartitionTable.open({ maps: clientSide.maps, partitions: PARTITIONS, logger: silentLogger });
    const seen = (): boolean =>
      Array.from({ length: PARTITIONS }, (_, i) => table.row(i)?.phase).every((phase) => phase === 'ACTIVE');
    await until(systemClock, seen, SOON_MS, 'the client seeing who serves');
    client = new GridClient({
      ...clientSide,
      table,
      clock: systemClock,
      random: systemRandom(),
      deployment: 'test',
      meter: silentMeter,
    });
  });
  afterAll(async () => {
    await Promise.all([clientSide?.close(), shardSide?.close()]);
    await nats?.remove();
  });

  it('reads and writes cells of every size, also those that travel in parts', async () => {
    const texts = ['', 'x', 'y'.repeat(70_000), 'z'.repeat(1024 * 1024 - 100)];
    await Promise.all(texts.map((text, i) => client.put(views, `text ${i}`, { count: i, text })));
    const cells = await client.getMany(
      views,
      texts.map((_, i) => `text ${i}`),
    );
    expect(texts.map((_, i) => cells.record(i))).toEqual(texts.map((text, i) => ({ count: i, text })));
  });

  it('counts every batch once while nats-server is killed again and again', async () => {
    const batches = 300;
    let done = 0;
    let writing = true;
    const write = async (): Promise<void> => {
      for (; done < batches; done++) {
        const sections = Array.from({ length: PARTITIONS }, (_, partition) => section(partition, done));
        for (const result of await client.write(sections, { deadlineMs: SOON_MS })) expect(result.error).toBeNull();
      }
      writing = false;
    };
    const kill = async (): Promise<number> => {
      let kills = 0;
      for (let next = 30; writing && kills < 4; next += 60) {
        await until(systemClock, () => done >= next || !writing, SOON_MS, `batch ${next}`, 1);
        if (writing) kills += 1;
        await nats.kill();
        await nats.restart();
      }
      return kills;
    };
    const [, kills] = await Promise.all([write(), kill()]);
    expect(kills).toBeGreaterThanOrEqual(3);
    const rows: unknown[] = [];
    for await (const page of client.scan(views)) while (page.next()) if (page.key() === 'all') rows.push(page.record());
    expect(rows).toEqual(Array.from({ length: PARTITIONS }, () => ({ count: batches, text: '' })));
  });
});
