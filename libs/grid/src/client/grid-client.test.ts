import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cellIdOf, compileSchema, encodeScalar, partitionOfId, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, seededRandom, silentLogger, silentMeter, systemClock } from '@niobe/kernel';
import type { BusMessage } from '../bus.ts';
import { FrameKind } from '../frames/header.ts';
import { Ack, OpKind } from '../frames/write-request.ts';
import { MemoryNetwork, type MemoryBus } from '../memory-bus.ts';
import { MemoryShard } from '../memory-shard.ts';
import { MemorySharedMaps } from '../memory-shared-maps.ts';
import { PartitionTable } from '../partition-table.ts';
import { GridClient } from './grid-client.ts';
import { NO_CELL } from './id-batch.ts';
import { SectionBuilder, type PreparedSection } from './prepared-section.ts';

const PARTITIONS = 16;
const SHARDS = ['shard-0', 'shard-1'];

const views = compileSchema(16, 1, {
  name: 'views',
  key: 'text',
  fields: { page: { type: 'text', merge: 'keep', maxBytes: 1024 * 1024 }, count: { type: 'u64', merge: 'add' } },
});
const notes = compileSchema(18, 1, { name: 'notes', key: 'id', fields: { text: { type: 'text' } } });
const users = compileSchema(17, 1, { name: 'users', key: 'integer', fields: { name: { type: 'text' } } });

/** A grid of two shards in this process, and a client on a connection of its own. */
class TestGrid {
  readonly network: MemoryNetwork = new MemoryNetwork({ clock: systemClock, random: seededRandom(1) });
  readonly maps: MemorySharedMaps = new MemorySharedMaps(systemClock);
  readonly schemas: SchemaTable = new SchemaTable();
  readonly shards = new Map<string, MemoryShard>();
  readonly clientBus: MemoryBus = this.network.connect();
  readonly shardBus: MemoryBus = this.network.connect();
  table!: PartitionTable;
  client!: GridClient;

  static async start(): Promise<TestGrid> {
    const grid = new TestGrid();
    for (const schema of [views, users, notes]) grid.schemas.add(schema);
    const { maps, clientBus, schemas } = grid;
    grid.table = await PartitionTable.open({ maps, partitions: PARTITIONS, logger: silentLogger });
    await grid.table.ensureRows(SHARDS);
    for (const name of SHARDS) {
      const shard = new MemoryShard({ bus: grid.shardBus, deployment: 'test', name, schemas, clock: systemClock });
      grid.shards.set(name, shard);
    }
    for (let partition = 0; partition < PARTITIONS; partition++) await grid.take(partition);
    const options = { bus: clientBus, table: grid.table, clock: systemClock, random: seededRandom(2) };
    grid.client = new GridClient({ ...options, deployment: 'test', meter: silentMeter });
    return grid;
  }

  /** The partition's primary takes it at a new epoch. */
  async take(partition: number): Promise<void> {
    const { primary } = this.table.row(partition)!;
    const row = await this.table.claim(partition, primary, 'f'.repeat(16));
    this.shards.get(primary)!.serve(partition, row.epoch);
    await this.table.activate(row);
  }

  partitionOf(schema: CompiledSchema, key: string | number): number {
    const out = new ByteWriter(512);
    schema.encodeKey(key, out);
    return schema.partitionOfKey(out.buffer, 0, out.length, PARTITIONS);
  }

  shardOf(partition: number): MemoryShard {
    return this.shards.get(this.table.row(partition)!.primary)!;
  }

  /** Fails what the client has in flight with `UNKNOWN`. */
  breakClient(): void {
    this.clientBus.disconnect();
    this.clientBus.reconnect();
  }

  /** Lets `seen` look at every frame of a kind that reaches the shards; those it says true to get no answer. */
  listen(kind: number, seen: (message: BusMessage) => boolean): void {
    for (const name of SHARDS) {
      const inner = this.shards.get(name)!;
      inner.close();
      const again = new MemoryShard({
        bus: this.behind(kind, seen),
        deployment: 'test',
        name,
        schemas: this.schemas,
        clock: systemClock,
      });
      for (const row of this.table.rowsOf(name)) again.adopt(row.partition, row.epoch, inner.yield(row.partition)!);
      this.shards.set(name, again);
    }
  }

  private behind(kind: number, seen: (message: BusMessage) => boolean): MemoryBus {
    const bus = this.network.connect();
    const subscribe = bus.subscribe.bind(bus);
    bus.subscribe = (subject, handler) =>
      subscribe(subject, (message) => {
        const mute = message.payload[1] === kind && seen(message);
        handler(mute ? { ...message, reply: () => undefined } : message);
      });
    return bus;
  }
}

function viewsSection(partition: number, page: string, source: string, from: number, to: number): PreparedSection {
  const builder = new SectionBuilder();
  const key = new ByteWriter(512);
  const body = new ByteWriter(4096);
  views.encodeKey(page, key);
  views.encode({ page, count: 1 }, body);
  builder.start(partition);
  if (to > from) builder.source(source, from, to);
  builder.op(OpKind.MERGE, views.id, 0, key.buffer, 0, key.length, body.buffer, 0, body.length);
  return builder.finish();
}

describe('GridClient', () => {
  let grid: TestGrid;
  let client: GridClient;

  beforeEach(async () => {
    grid = await TestGrid.start();
    client = grid.client;
  });
  afterEach(() => grid.table.close());

  it('puts, gets and deletes cells of both kinds of key', async () => {
    const version = await client.put(views, 'home', { page: 'home', count: 3 });
    await client.put(users, 42, { name: 'Ada' });
    expect(await client.get(views, 'home')).toEqual({
      id: expect.any(Number),
      record: { page: 'home', count: 3 },
      version,
      expiresS: 0,
    });
    expect((await client.get(users, 42))?.record).toEqual({ name: 'Ada' });
    expect(await client.get(views, 'away')).toBeNull();
    await client.delete(views, 'home');
    expect(await client.get(views, 'home')).toBeNull();
  });

  it('writes conditionally', async () => {
    const first = await client.putIfAbsent(views, 'a', { page: 'a', count: 1 });
    await expect(client.putIfAbsent(views, 'a', { page: 'a', count: 9 })).rejects.toMatchObject({ code: 'EXISTS' });
    const second = await client.replace(views, 'a', { page: 'a', count: 2 }, first);
    await expect(client.replace(views, 'a', { page: 'a', count: 9 }, first)).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
    await expect(client.delete(views, 'a', first)).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    await client.delete(views, 'a', second);
    await expect(client.replace(views, 'a', { page: 'a', count: 9 }, second)).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
  });

  it('merges what many callers add at once', async () => {
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.merge(views, `p${i % 7}`, { page: `p${i % 7}`, count: 1 })),
    );
    const cells = await client.getMany(views, ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7']);
    const counts = Array.from({ length: 8 }, (_, i) => cells.record(i)?.['count'] ?? 0);
    expect(counts).toEqual([29, 29, 29, 29, 28, 28, 28, 0]);
  });

  it('refuses what does not fit its schema before anything is sent', async () => {
    await expect(client.put(views, 'a', { page: 'a' })).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    await expect(client.get(users, 'text')).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    await expect(client.put(views, 'a', { page: 'x'.repeat(1024 * 1024), count: 1 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });

  it('bundles the operations of a tick into one frame a shard', async () => {
    let frames = 0;
    grid.listen(FrameKind.GET, () => {
      frames += 1;
      return false;
    });
    await Promise.all(Array.from({ length: 300 }, (_, i) => client.get(users, i)));
    expect(frames).toBe(2);
  });

  it('reads thousands of keys, and cells that fill several frames, in the order asked', async () => {
    const page = 'x'.repeat(200_000);
    await Promise.all(Array.from({ length: 40 }, (_, i) => client.put(views, `big${i}`, { page, count: i })));
    const big = await client.getMany(
      views,
      Array.from({ length: 50 }, (_, i) => `big${i}`),
    );
    for (let i = 0; i < 50; i++) expect(big.record(i)?.['count']).toBe(i < 40 ? i : undefined);
    const keys = Array.from({ length: 40_000 }, (_, i) => i);
    await client.put(users, 39_999, { name: 'last' });
    const many = await client.getMany(users, keys);
    expect(many.record(39_999)).toEqual({ name: 'last' });
    expect(keys.filter((i) => many.found(i))).toEqual([39_999]);
  });

  it('tells the ids of cells, which stay until the cell is deleted', async () => {
    await client.put(views, 'home', { page: 'home', count: 1 });
    const { id } = (await client.get(views, 'home'))!;
    expect(partitionOfId(id)).toBe(grid.partitionOf(views, 'home'));
    await client.merge(views, 'home', { page: 'home', count: 1 });
    const cells = await client.getMany(views, ['away', 'home']);
    expect(cells.id(1)).toBe(id);
    for await (const page of client.scan(views)) while (page.next()) expect(page.id).toBe(id);
    await client.delete(views, 'home');
    await client.put(views, 'home', { page: 'home', count: 1 });
    expect((await client.get(views, 'home'))?.id).not.toBe(id);
  });

  it('reads the ids of thousands of keys without their bodies', async () => {
    const name = 'x'.repeat(4000);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.put(users, i * 20, { name })));
    const keys = new ByteWriter(1024 * 1024);
    const ends = new Uint32Array(20_001);
    for (let i = 0; i < 20_000; i++) {
      users.encodeKey(i, keys);
      ends[i] = keys.length;
    }
    let frames = 0;
    grid.listen(FrameKind.GET, () => {
      frames += 1;
      return false;
    });
    const ids = await client.ids(users, keys.buffer, ends, 20_000);
    expect(frames).toBe(2);
    const found = await client.getMany(
      users,
      Array.from({ length: 1000 }, (_, i) => i * 20),
    );
    const expected = Float64Array.from({ length: 20_000 }, (_, i) => (i % 20 === 0 ? found.id(i / 20) : NO_CELL));
    expect(ids).toEqual(expected);
  });

  it('keeps cells that are keyed by an id where the cell of that id is', async () => {
    await client.put(users, 7, { name: 'Ada' });
    const { id } = (await client.get(users, 7))!;
    await client.put(notes, id, { text: 'beside' });
    expect((await client.get(notes, id))?.record).toEqual({ text: 'beside' });
    const partitions: number[] = [];
    for await (const page of client.scan(notes)) partitions.push(page.partition);
    expect(partitions).toEqual([partitionOfId(id)]);
  });

  it('refuses an id of a partition that does not exist, and reads the other keys of the tick', async () => {
    await client.put(users, 7, { name: 'Ada' });
    const reads = [client.get(users, 7), client.get(notes, cellIdOf(PARTITIONS, 0, 1)), client.get(users, 7)] as const;
    await expect(reads[1]).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    expect([(await reads[0])?.record, (await reads[2])?.record]).toEqual([{ name: 'Ada' }, { name: 'Ada' }]);
  });

  it('goes to where a partition has moved to', async () => {
    await client.put(views, 'home', { page: 'home', count: 1 });
    const partition = grid.partitionOf(views, 'home');
    const held = grid.shardOf(partition).yield(partition)!;
    const reading = client.get(views, 'home');
    const writing = client.put(users, 7, { name: 'moved' });
    const { primary } = grid.table.row(partition)!;
    const row = await grid.table.claim(partition, primary, 'e'.repeat(16));
    grid.shards.get(primary)!.adopt(partition, row.epoch, held);
    await grid.table.activate(row);
    expect((await reading)?.record['count']).toBe(1);
    await writing;
  });

  it('ends with the reason when nobody serves the partition in time', async () => {
    const partition = grid.partitionOf(views, 'home');
    const row = await grid.table.claim(partition, grid.table.row(partition)!.primary, 'e'.repeat(16));
    await expect(client.get(views, 'home', { deadlineMs: 40 })).rejects.toMatchObject({ code: 'NOT_READY' });
    await expect(client.put(views, 'home', { page: 'home', count: 1 }, { deadlineMs: 40 })).rejects.toMatchObject({
      code: 'NOT_READY',
    });
    await grid.table.activate(row);
  });

  it('repeats reads whose answer got lost, but not single writes', async () => {
    await client.put(views, 'home', { page: 'home', count: 1 });
    const reading = client.get(views, 'home');
    systemClock.soon(() => grid.breakClient());
    expect((await reading)?.record['count']).toBe(1);
    let written = 0;
    grid.listen(FrameKind.WRITE, () => {
      written += 1;
      queueMicrotask(() => grid.breakClient());
      return true;
    });
    const merge = client.merge(views, 'home', { page: 'home', count: 1 });
    await expect(merge).rejects.toMatchObject({ code: 'UNKNOWN' });
    expect(written).toBe(1);
    expect((await client.get(views, 'home'))?.record['count']).toBe(2);
  });

  it('writes sections in bulk and tells the present offset of a source that is elsewhere', async () => {
    const sections = Array.from({ length: PARTITIONS }, (_, partition) =>
      viewsSection(partition, `q${partition}`, 's', 0, 10),
    );
    const results = await client.write(sections);
    expect(results.every((result) => result.error === null && result.presentOffsets[0] === 10)).toBe(true);
    expect(results[3]!.commit).toEqual({ epoch: 1, seq: 1 });
    const [again, next] = await client.write([viewsSection(3, 'q3', 's', 0, 12), viewsSection(3, 'q3', 's', 10, 12)]);
    expect(again!.error).toMatchObject({ code: 'OFFSET_MISMATCH' });
    expect(again!.presentOffsets).toEqual([10]);
    expect(next!.error).toBeNull();
    expect(grid.shardOf(3).applied(3, 's')).toBe(12);
  });

  it('is told by the twin of a shard that it keeps no adjacencies', async () => {
    const builder = new SectionBuilder();
    builder.start(3);
    builder.op(OpKind.LINK, notes.id, 0, new Uint8Array(8), 0, 8, new Uint8Array(16), 0, 16);
    const [result] = await client.write([builder.finish()]);
    expect(result!.error).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('counts a section with sources once although its answer got lost', async () => {
    let lost = 0;
    grid.listen(FrameKind.WRITE, () => {
      if (lost++ >= 3) return false;
      queueMicrotask(() => grid.breakClient());
      return true;
    });
    const sections = [0, 1, 2, 3].map((partition) => viewsSection(partition, 'r', 's', 0, 5));
    const results = await client.write(sections);
    expect(lost).toBeGreaterThan(3);
    expect(results.map((result) => result.error)).toEqual([null, null, null, null]);
    const scanned: unknown[] = [];
    for await (const page of client.scan(views)) while (page.next()) scanned.push(page.record());
    expect(scanned).toEqual(Array.from({ length: 4 }, () => ({ page: 'r', count: 1 })));
  });

  it('cuts long bulk writes into frames, and refuses a section that is longer than one', async () => {
    let frames = 0;
    grid.listen(FrameKind.WRITE, () => {
      frames += 1;
      return false;
    });
    const page = 'x'.repeat(300_000);
    const sections = Array.from({ length: 20 }, (_, i) => bigSection(i % PARTITIONS, `b${i}`, page));
    const results = await client.write(sections, { ack: Ack.MEMORY, versionsWanted: true });
    expect(results.every((result) => result.error === null && result.versions.length === 1)).toBe(true);
    expect(frames).toBeGreaterThanOrEqual(6);
    const tooLong = { ...sections[0]!, content: new Uint8Array(3 * 1024 * 1024) };
    await expect(client.write([tooLong])).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('scans every cell of a schema that meets the clauses, once', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.put(views, `v${i}`, { page: `v${i}`, count: i })));
    await client.put(users, 1, { name: 'not a view' });
    const field = views.field('count');
    const clauses = [{ field: field.index, op: 'ge' as const, value: encodeScalar(field, 100) }];
    const keys: (string | number)[] = [];
    let pages = 0;
    for await (const page of client.scan(views, { clauses, limitBytes: 2000 })) {
      pages += 1;
      while (page.next()) keys.push(page.key());
    }
    expect(keys).toHaveLength(400);
    expect(new Set(keys)).toEqual(new Set(Array.from({ length: 400 }, (_, i) => `v${i + 100}`)));
    expect(pages).toBeGreaterThan(8);
  });

  it('scans on after answers got lost, without a row twice', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => client.put(views, `v${i}`, { page: `v${i}`, count: i })));
    const keys: (string | number)[] = [];
    for await (const page of client.scan(views, { limitBytes: 3000 })) {
      while (page.next()) keys.push(page.key());
      if (keys.length % 5 === 0) grid.breakClient();
    }
    expect(keys).toHaveLength(300);
    expect(new Set(keys).size).toBe(300);
  });
});

function bigSection(partition: number, key: string, page: string): PreparedSection {
  const builder = new SectionBuilder();
  const keyBytes = new ByteWriter(512);
  const body = new ByteWriter(2 * 1024 * 1024);
  views.encodeKey(key, keyBytes);
  views.encode({ page, count: 1 }, body);
  builder.start(partition);
  builder.op(OpKind.PUT, views.id, 0, keyBytes.buffer, 0, keyBytes.length, body.buffer, 0, body.length);
  return builder.finish();
}
