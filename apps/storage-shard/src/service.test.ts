import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ByteWriter, systemClock, until } from '@niobe/kernel';
import type { CompiledSchema } from '@niobe/cells';
import { Ack, OpKind, SectionBuilder, type PreparedSection } from '@niobe/grid';
import { BackupClient } from '@niobe/replication';
import { COUNTS, DEPLOYMENT, PARTITIONS, TestGrid, type TestClient } from '../fixtures/test-grid.ts';

const partitionOfKey = (schema: CompiledSchema, key: string): number => {
  const out = new ByteWriter(512);
  schema.encodeKey(key, out);
  return schema.partitionOfKey(out.buffer, 0, out.length, PARTITIONS);
};

/** A batch that counts each page once more, from offset to offset of a source. */
const section = (
  schema: CompiledSchema,
  partition: number,
  pages: readonly string[],
  from: number,
  to: number,
): PreparedSection => {
  const builder = new SectionBuilder();
  const key = new ByteWriter(512);
  const body = new ByteWriter(4096);
  builder.start(partition);
  if (to > from) builder.source('clicks/0', from, to, 1_700_000_000_000);
  for (const page of pages) {
    key.reset();
    body.reset();
    schema.encodeKey(page, key);
    schema.encode({ page, count: 1 }, body);
    builder.op(OpKind.MERGE, schema.id, 0, key.buffer, 0, key.length, body.buffer, 0, body.length);
  }
  return builder.finish();
};

const pagesOf = (schema: CompiledSchema, partition: number, count: number): string[] => {
  const pages: string[] = [];
  for (let i = 0; pages.length < count; i++)
    if (partitionOfKey(schema, `page-${i}`) === partition) pages.push(`page-${i}`);
  return pages;
};

const scanAll = async ({ grid }: TestClient, schema: CompiledSchema): Promise<Map<string, number>> => {
  const seen = new Map<string, number>();
  for await (const page of grid.scan(schema, { limitBytes: 2_000 })) {
    while (page.next()) {
      const key = schema.decodeKey(page.bytes, page.keyAt, page.keyBytes) as string;
      expect(seen.has(key)).toBe(false);
      seen.set(key, schema.decode(page.bytes, page.bodyAt, page.bodyBytes)['count'] as number);
    }
  }
  return seen;
};

describe('a storage shard on the twins', () => {
  let grid: TestGrid;
  beforeEach(() => {
    grid = new TestGrid();
  });
  afterEach(() => grid.close());

  const countOf = async ({ grid: client }: TestClient, schema: CompiledSchema, page: string): Promise<unknown> =>
    (await client.get(schema, page))?.record['count'];

  it('writes, reads, deletes and scans, over partitions and pages', async () => {
    await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => client.grid.merge(schema, `page-${i}`, { page: 'p', count: i })),
    );
    await client.grid.merge(schema, 'page-7', { page: 'other', count: 100 });
    expect((await client.grid.get(schema, 'page-7'))?.record).toEqual({ page: 'p', count: 107 });
    await client.grid.delete(schema, 'page-8');
    expect(await client.grid.get(schema, 'page-8')).toBeNull();
    const seen = await scanAll(client, schema);
    expect(seen.size).toBe(299);
    expect(seen.get('page-299')).toBe(299);
  });

  it('recovers everything that was acknowledged, and the sources with it', async () => {
    const first = await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    const pages = pagesOf(schema, 3, 50);
    for (let batch = 0; batch < 10; batch++) {
      const [result] = await client.grid.write([section(schema, 3, pages, batch * 50, batch * 50 + 50)]);
      expect(result).toMatchObject({ error: null, presentOffsets: [batch * 50 + 50] });
    }
    await grid.killShard(first);
    await grid.startShard();
    const seen = await scanAll(client, schema);
    expect([...seen.values()]).toEqual(Array.from({ length: 50 }, () => 10));
    const [again] = await client.grid.write([section(schema, 3, pages, 0, 50)]);
    expect(again).toMatchObject({ error: { code: 'OFFSET_MISMATCH' }, presentOffsets: [500] });
    const [next] = await client.grid.write([section(schema, 3, pages, 500, 501)]);
    expect(next?.error).toBeNull();
    expect(await countOf(client, schema, pages[0]!)).toBe(11);
  });

  it('answers each section on its own and leaves a refused one without effect', async () => {
    await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    const good = pagesOf(schema, 1, 3);
    const bad = [...pagesOf(schema, 2, 2), good[0]!];
    const results = await client.grid.write([section(schema, 1, good, 0, 10), section(schema, 2, bad, 0, 10)]);
    expect(results[0]?.error).toBeNull();
    expect(results[1]).toMatchObject({ error: { code: 'BAD_REQUEST' }, opIndex: 2, presentOffsets: [0] });
    expect(await countOf(client, schema, good[0]!)).toBe(1);
    expect(await client.grid.get(schema, bad[0]!)).toBeNull();
  });

  it('gives a repeated message the first answer and no second effect', async () => {
    await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    grid.network.setFaults({ duplicateChance: 1 });
    for (let i = 0; i < 30; i++) await client.grid.merge(schema, 'page', { page: 'p', count: 1 });
    grid.network.setFaults({});
    expect(await countOf(client, schema, 'page')).toBe(30);
  });

  it('ends the office of a shard when another process of its name starts', async () => {
    const zombie = await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    await client.grid.put(schema, 'page', { page: 'p', count: 1 });
    zombie.bus.disconnect();
    await grid.startShard();
    await client.grid.put(schema, 'page', { page: 'p', count: 2 });
    zombie.bus.reconnect();
    await until(systemClock, () => !zombie.service.readiness().ready, 5_000, 'the zombie noticing');
    expect(zombie.service.readiness().reason).toMatch(/^partitions were taken by shard-0@/);
    for (let i = 0; i < 20; i++) await client.grid.merge(schema, 'page', { page: 'p', count: 1 });
    expect(await countOf(client, schema, 'page')).toBe(22);
    expect(grid.said.join('\n')).toMatch(/it is not served here any more/);
  });

  it('stops serving a partition at once when a backup server has promised it to somebody else', async () => {
    const shard = await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    await client.grid.put(schema, 'page', { page: 'p', count: 1 });
    const partition = partitionOfKey(schema, 'page');
    const backup = new BackupClient(client.bus, DEPLOYMENT, 'backup-1');
    await backup.register(partition, { epoch: 40, owner: 'shard-9@other' });
    const [result] = await client.grid.write([section(schema, partition, ['page'], 0, 1)], { deadlineMs: 1_000 });
    expect(result?.error?.code).toBe('FENCED');
    await expect(client.grid.get(schema, 'page', { deadlineMs: 300 })).rejects.toMatchObject({ code: 'NOT_PRIMARY' });
    expect(shard.service.readiness()).toEqual({
      ready: false,
      reason: 'partitions were taken by shard-9@other: end this process',
    });
    const elsewhere = (partition + 1) % PARTITIONS;
    const [other] = await client.grid.write([section(schema, elsewhere, [], 0, 1)]);
    expect(other?.error).toBeNull();
  });

  it('goes above what backup servers promised when the table was rolled back', async () => {
    await grid.killShard(await grid.startShard());
    const client = await grid.connect(COUNTS);
    const backup = new BackupClient(client.bus, DEPLOYMENT, 'backup-0');
    await backup.register(2, { epoch: 40, owner: 'shard-0@before' });
    await grid.startShard();
    await client.table.refresh(2);
    expect(client.table.row(2)).toMatchObject({ epoch: 41, phase: 'ACTIVE' });
  });

  it('waits for a backup that is away, fails durable writes meanwhile, and goes on when it returns', async () => {
    const shard = await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    await client.grid.put(schema, 'page', { page: 'p', count: 1 });
    await grid.killBackup('backup-1');
    const deadlineMs = 400;
    const refused = client.grid.put(schema, 'page', { page: 'p', count: 2 }, { deadlineMs });
    await expect(refused).rejects.toMatchObject({ code: 'BACKUP_UNAVAILABLE' });
    expect(shard.service.readiness()).toMatchObject({ ready: true, reason: expect.stringMatching(/backup-1/) });
    // What was written is not shown before it is durable, but it may be overwritten in memory.
    await expect(client.grid.get(schema, 'page', { deadlineMs })).rejects.toMatchObject({ code: 'BACKUP_UNAVAILABLE' });
    await client.grid.put(schema, 'page', { page: 'p', count: 3 }, { ack: Ack.MEMORY });
    grid.startBackup('backup-1');
    expect(await countOf(client, schema, 'page')).toBe(3);
    await client.grid.put(schema, 'page', { page: 'p', count: 4 });
    expect(shard.service.readiness()).toEqual({ ready: true, reason: '' });
  });

  it('recovers from one complete copy while the other is away, says so, and repairs it on its return', async () => {
    const first = await grid.startShard();
    const client = await grid.connect(COUNTS);
    const schema = client.schemas[0]!;
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.grid.put(schema, `p${i}`, { page: 'p', count: i })));
    await grid.killShard(first);
    await grid.killBackup('backup-0');
    grid.wipeBackup('backup-0');
    const second = await grid.startShard();
    expect(grid.said.join('\n')).toMatch(/recovered without backup-0/);
    expect(second.service.readiness()).toMatchObject({ ready: true, reason: expect.stringMatching(/backup-0/) });
    grid.startBackup('backup-0');
    expect((await scanAll(client, schema)).size).toBe(100);
    await client.grid.put(schema, 'p0', { page: 'p', count: 1_000 });
    await grid.killShard(second);
    await grid.killBackup('backup-1');
    grid.wipeBackup('backup-1');
    grid.startBackup('backup-1');
    await grid.startShard();
    expect((await scanAll(client, schema)).get('p0')).toBe(1_000);
  }, 20_000);

  it('rebuilds facts, schemas and rows from the backups when NATS has lost its store', async () => {
    const first = await grid.startShard();
    const before = await grid.connect({ ...COUNTS, name: 'others' }, COUNTS);
    const counts = before.schemas[1]!;
    await before.grid.put(counts, 'page', { page: 'p', count: 5 });
    await grid.killShard(first);
    grid.loseMaps();
    await grid.startShard();
    expect(grid.said.join('\n')).toMatch(/NATS has lost its store/);
    const after = await grid.connect(COUNTS);
    expect(after.schemas[0]!.id).toBe(counts.id);
    expect(await countOf(after, after.schemas[0]!, 'page')).toBe(5);
    expect(after.table.row(0)!.epoch).toBeGreaterThan(before.table.row(0)!.epoch);
  });

  it('refuses to start with another number of partitions or beside the backups of another system', async () => {
    await grid.killShard(await grid.startShard());
    const other = new TestGrid(['shard-0'], 500);
    await other.killShard(await other.startShard());
    for (const name of ['backup-0', 'backup-1']) {
      await grid.killBackup(name);
      grid.stores.set(name, other.stores.get(name)!);
      grid.startBackup(name);
    }
    await expect(grid.startShard()).rejects.toMatchObject({
      code: 'INCOMPATIBLE',
      message: expect.stringMatching(/another system/),
    });
    await other.close();
  });

  it('divides the partitions among shards and routes to each', async () => {
    const two = new TestGrid(['shard-0', 'shard-1']);
    await Promise.all([two.startShard('shard-0'), two.startShard('shard-1')]);
    const client = await two.connect(COUNTS);
    const schema = client.schemas[0]!;
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.grid.put(schema, `p${i}`, { page: 'p', count: i })));
    expect((await scanAll(client, schema)).size).toBe(100);
    await two.close();
  });

  it('does not serve a partition that is damaged in every copy, but the others', async () => {
    await grid.killShard(await grid.startShard());
    for (const name of ['backup-0', 'backup-1']) {
      await grid.killBackup(name);
      grid.wipeBackup(name);
      grid.startBackup(name);
    }
    const shard = await grid.startShard();
    expect(shard.service.readiness().reason).toMatch(/8 partitions are damaged/);
    const client = await grid.connect(COUNTS);
    const [result] = await client.grid.write([section(client.schemas[0]!, 1, [], 0, 5)], { deadlineMs: 500 });
    expect(result?.error?.code).toBe('NOT_READY');
  });
});
