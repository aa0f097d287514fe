import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError, seededRandom, silentLogger, silentMeter, systemClock, until } from '@niobe/kernel';
import { partitionOfId, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { OpKind, SectionBuilder, type PreparedSection } from '@niobe/grid';
import { Searcher, type LevelsAnswer, type Search } from '@niobe/traversal';
import { DEPLOYMENT, LINKS, PAGE, TestGrid, type StartedShard, type TestClient } from '../../fixtures/test-grid.ts';

/** Searches over real shards: recovered, killed, fenced, waiting for their backup servers. */

const SHARDS = ['shard-0', 'shard-1'];
const CHAIN = 60;
const DEADLINE_MS = 1_500;

const ALONG: Search = {
  start: [{ schema: 'page', key: 0 }],
  hops: [{ edge: LINKS, direction: 'out', repeat: 1_000 }],
  returns: 'levels',
  isCounting: false,
  orderBy: 'key',
  limit: 10,
  budget: { vertices: 1_000, bytes: 1024 * 1024, ms: DEADLINE_MS },
};

/** The link of one vertex with another, seen from the first. */
function link(schema: CompiledSchema, own: number, other: number): PreparedSection {
  const out = new ByteWriter(64);
  out.u53(own);
  out.u53(other);
  const builder = new SectionBuilder();
  builder.start(partitionOfId(own));
  builder.op(OpKind.LINK, schema.id, 0, out.buffer, 0, 8, out.buffer, 8, 8);
  return builder.finish();
}

describe('searches', () => {
  let grid: TestGrid;
  let shards: Map<string, StartedShard>;
  let client: TestClient;
  let searcher: Searcher;

  const start = async (name: string): Promise<void> => void shards.set(name, await grid.startShard(name));
  const search = (): Promise<LevelsAnswer> => searcher.search(ALONG) as Promise<LevelsAnswer>;

  /** Vertices 0 to {@link CHAIN}, each linked with the next. */
  const writeChain = async (): Promise<void> => {
    const [page, out, into] = client.schemas as [CompiledSchema, CompiledSchema, CompiledSchema];
    const keys = Array.from({ length: CHAIN + 1 }, (_, key) => key);
    await Promise.all(keys.map((key) => client.grid.put(page, key, {})));
    const cells = await client.grid.getMany(page, keys);
    const sections = keys
      .slice(1)
      .flatMap((key) => [link(out, cells.id(key - 1), cells.id(key)), link(into, cells.id(key), cells.id(key - 1))]);
    for (const { error } of await client.grid.write(sections)) expect(error).toBeNull();
  };

  beforeEach(async () => {
    grid = new TestGrid(SHARDS);
    grid.edges = [LINKS];
    shards = new Map();
    await Promise.all(SHARDS.map((name) => start(name)));
    client = await grid.connect(PAGE, ...LINKS.schemas);
    const schemas = new SchemaTable();
    for (const schema of client.schemas) schemas.add(schema);
    searcher = new Searcher({
      bus: client.bus,
      deployment: DEPLOYMENT,
      table: client.table,
      client: client.grid,
      schemas,
      clock: systemClock,
      random: seededRandom(3),
      logger: silentLogger,
      meter: silentMeter,
    });
    await writeChain();
  });
  afterEach(() => grid.close());

  it('go from shard to shard', async () => {
    expect(await search()).toEqual({ levels: Array(CHAIN + 1).fill(1), reached: CHAIN + 1, depth: CHAIN });
    const rows = await searcher.search({ ...ALONG, returns: 'vertices', isCounting: true, orderBy: 'level', limit: 2 });
    expect(rows).toEqual({
      vertices: [1, 2].map((key) => ({ schema: 'page', key, level: key, count: 1 })),
      total: CHAIN,
    });
  });

  it('find the same after both shards were killed and have recovered', async () => {
    for (const shard of shards.values()) await grid.killShard(shard);
    await Promise.all(SHARDS.map((name) => start(name)));
    expect((await search()).depth).toBe(CHAIN);
  });

  it('end with an answer or a typed error in time when a shard is killed under them', async () => {
    for (let round = 0; round < 6; round++) {
      const begunMs = systemClock.monotonicMs();
      const asked = search().catch((error: unknown) => error);
      for (let turn = 0; turn < round * 3; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve));
      await grid.killShard(shards.get('shard-1')!);
      const restarted = round % 2 === 0 ? start('shard-1') : null;
      const outcome = await asked;
      expect(systemClock.monotonicMs() - begunMs).toBeLessThan(DEADLINE_MS + 1_000);
      if (isNiobeError(outcome)) expect(outcome.status).toBe(503);
      else expect(outcome).toMatchObject({ depth: CHAIN });
      await (restarted ?? start('shard-1'));
      const comesBack = (): Promise<boolean> =>
        search().then(
          ({ depth }) => depth === CHAIN,
          () => false,
        );
      await until(systemClock, comesBack, 10_000, 'a search after the restart');
    }
  }, 90_000);

  it('show nothing that is not durable yet', async () => {
    await grid.killBackup('backup-1');
    const [page, out] = client.schemas as [CompiledSchema, CompiledSchema];
    const [from, to] = [await client.grid.get(page, CHAIN), await client.grid.get(page, 0)];
    await client.grid.write([link(out, from!.id, to!.id)], { deadlineMs: 300 });
    await expect(search()).rejects.toMatchObject({ code: 'BACKUP_UNAVAILABLE' });
    grid.startBackup('backup-1');
    expect((await search()).depth).toBe(CHAIN);
  }, 30_000);
});
