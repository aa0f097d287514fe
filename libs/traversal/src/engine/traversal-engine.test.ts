import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deferred, NiobeError, systemClock, type ManualClock } from '@niobe/kernel';
import { LINKS, PURCHASED, strayId, TestShards, DEPLOYMENT } from '../../test/test-shards.ts';
import { collectFrame } from '../frames/collect.ts';
import { beginRequest, openReply, TraverseKind } from '../frames/header.ts';
import { startFrame, type SearchPlan } from '../frames/start.ts';
import { IDLE_MS, SEARCHES_MAX } from '../limits.ts';
import type { LevelsAnswer, Search, VerticesAnswer } from '../search.ts';
import { traverseSubject } from '../subject.ts';

const BUDGET = { vertices: 1_000_000, bytes: 64 * 1024 * 1024, ms: 5_000 };
const CHAIN = 30;

const along: Search = {
  start: [{ schema: 'page', key: 0 }],
  hops: [{ edge: LINKS, direction: 'out', repeat: 1_000 }],
  returns: 'levels',
  isCounting: false,
  orderBy: 'key',
  limit: 10,
  budget: BUDGET,
};

describe('a search that cannot go on as it should', () => {
  let grid: TestShards;
  const search = (asked: Partial<Search> = {}): Promise<LevelsAnswer> =>
    grid.drive(grid.searcher.search({ ...along, ...asked })) as Promise<LevelsAnswer>;
  const freed = async (): Promise<void> => {
    await grid.pass(3_000);
    expect(grid.tasks).toBe(0);
  };

  beforeEach(async () => {
    grid = await TestShards.open(2);
    const ids = Array.from({ length: CHAIN + 1 }, (_, key) => grid.vertex('page', key));
    for (let key = 0; key < CHAIN; key++) grid.edge(LINKS, ids[key]!, ids[key + 1]!);
  });

  it('names the budget it went over', async () => {
    expect((await search({ budget: { ...BUDGET, vertices: CHAIN + 1 } })).depth).toBe(CHAIN);
    await expect(search({ budget: { ...BUDGET, vertices: CHAIN } })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringMatching(/^budget\.vertices: 30 do not suffice; it took 31 up to level 30/),
    });
    await expect(search({ budget: { ...BUDGET, bytes: 5_000 } })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringMatching(/^budget\.bytes: 5000 do not suffice/),
    });
    await freed();
  });

  it('says that a start vertex does not exist', async () => {
    const start = [along.start[0]!, { schema: 'page', key: 999 }];
    await expect(search({ start })).rejects.toMatchObject({ code: 'NOT_FOUND', details: { path: 'start[1].key' } });
  });

  it('ends at its deadline where the wire is cut', async () => {
    const begunMs = grid.clock.monotonicMs();
    const asked = grid.searcher.search(along);
    grid.network.setFaults({ dropChance: 1 });
    await expect(grid.drive(asked)).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(grid.clock.monotonicMs() - begunMs).toBeLessThanOrEqual(BUDGET.ms + 2);
    grid.network.setFaults({});
    await freed();
  });

  it('ends at its deadline where a shard is gone, and the others forget it', async () => {
    const begunMs = grid.clock.monotonicMs();
    const asked = grid.searcher.search(along);
    asked.catch(() => undefined);
    await grid.pass(20);
    await grid.shards.get('shard-1')!.bus.close();
    await expect(grid.drive(asked)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(grid.clock.monotonicMs() - begunMs).toBeLessThanOrEqual(BUDGET.ms + 2);
    grid.shards.delete('shard-1');
    await freed();
  });

  it('is begun anew where a shard dies and is back in time, whenever it dies', async () => {
    for (let afterMs = 0; afterMs < 60; afterMs += 3) {
      const asked = grid.searcher.search(along);
      await grid.pass(afterMs);
      await grid.killShard('shard-1');
      grid.startShard('shard-1');
      expect(((await grid.drive(asked)) as LevelsAnswer).depth).toBe(CHAIN);
    }
    await freed();
  });

  it('fails with what became of the partitions', async () => {
    grid.durability = () => Promise.reject(new NiobeError('BACKUP_UNAVAILABLE', 'backup-1 is away'));
    await expect(search()).rejects.toMatchObject({ code: 'BACKUP_UNAVAILABLE' });
    await freed();
  });

  it('is forgotten when it is cancelled', async () => {
    const stalled = deferred<void>();
    grid.durability = () => stalled.promise;
    const ending = new AbortController();
    const asked = grid.searcher.search(along, ending.signal);
    asked.catch(() => undefined);
    await grid.pass(100);
    expect(grid.tasks).toBe(2);
    ending.abort();
    await expect(grid.drive(asked)).rejects.toMatchObject({ code: 'CLOSED' });
    await freed();
  });

  it('is refused where too many are under way, and taken when they are over', async () => {
    const stalled = deferred<void>();
    grid.durability = () => stalled.promise;
    const asked = Array.from({ length: SEARCHES_MAX }, () => grid.searcher.search(along));
    await expect(search()).rejects.toMatchObject({ code: 'TOO_MANY_SEARCHES', details: { retryAfterMs: 1_000 } });
    await grid.pass(200);
    expect(grid.tasks).toBe(2 * SEARCHES_MAX);
    stalled.resolve();
    for (const answer of await grid.drive(Promise.all(asked))) expect(answer).toMatchObject({ depth: CHAIN });
    expect((await search()).depth).toBe(CHAIN);
    await freed();
  });
});

describe('a shard', () => {
  let grid: TestShards;
  const plan = (task: number): SearchPlan => ({
    task,
    leftMs: 60_000,
    wantsRows: true,
    isCounting: false,
    orderBy: 'key',
    limit: 10,
    budget: BUDGET,
    shards: ['shard-0'],
    owners: new Uint16Array(8),
    epochs: new Uint32Array(8).fill(1),
    hops: [{ schemaIds: [grid.schemas.byName(LINKS.adjacency('out'))!.id], repeat: 3 }],
    starts: [grid.vertex('page', 1)],
  });
  const ask = (frame: Uint8Array): Promise<Uint8Array> => {
    const subject = traverseSubject(DEPLOYMENT, 'shard-0');
    return grid.drive(grid.network.connect().request(subject, frame, { deadlineMs: 2_000 }));
  };
  const asked = async (kind: 1 | 2 | 3 | 4, frame: Uint8Array): Promise<unknown> => openReply(await ask(frame), kind);

  beforeEach(async () => {
    grid = await TestShards.open(1);
  });

  it('forgets a search that nobody asks about', async () => {
    await asked(TraverseKind.START, startFrame(plan(5)));
    expect(grid.tasks).toBe(1);
    await grid.pass(IDLE_MS - 1_000);
    expect(grid.tasks).toBe(1);
    await grid.pass(3_000);
    expect(grid.tasks).toBe(0);
    await expect(asked(TraverseKind.COLLECT, collectFrame(5, 0, 0))).rejects.toMatchObject({ code: 'SEARCH_LOST' });
  });

  it('takes a START once and never after the END', async () => {
    await asked(TraverseKind.START, startFrame(plan(5)));
    await asked(TraverseKind.START, startFrame(plan(5)));
    expect(grid.tasks).toBe(1);
    await asked(TraverseKind.END, beginRequest(TraverseKind.END, 5).finish());
    expect(grid.tasks).toBe(0);
    await expect(asked(TraverseKind.START, startFrame(plan(5)))).rejects.toMatchObject({ code: 'SEARCH_LOST' });
    expect(grid.tasks).toBe(0);
  });

  it('says at once that it does not know a search', async () => {
    await expect(asked(TraverseKind.COLLECT, collectFrame(77, 1_000, 0))).rejects.toMatchObject({
      code: 'SEARCH_LOST',
    });
  });

  it('refuses more searches than it may have', async () => {
    for (let task = 1; task <= SEARCHES_MAX; task++) await asked(TraverseKind.START, startFrame(plan(task)));
    await expect(asked(TraverseKind.START, startFrame(plan(99)))).rejects.toMatchObject({
      code: 'TOO_MANY_SEARCHES',
      details: { retryAfterMs: 1_000 },
    });
  });

  it('refuses a search over partitions that it does not serve as told', async () => {
    const epochs = new Uint32Array(8).fill(9);
    await expect(asked(TraverseKind.START, startFrame({ ...plan(5), epochs }))).rejects.toMatchObject({
      code: 'NOT_PRIMARY',
    });
    const other = startFrame({ ...plan(6), shards: ['shard-9'] });
    await expect(asked(TraverseKind.START, other)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(grid.tasks).toBe(0);
  });

  it('answers garbage with an error and goes on', async () => {
    const good = [startFrame(plan(5)), collectFrame(5, 0, 0), beginRequest(TraverseKind.FRONTIER, 5).finish()];
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.constantFrom(...good), fc.nat(200), fc.nat(255), fc.nat(200)).map(([frame, at, value, cut]) => {
        const bytes = frame.slice(0, Math.max(1, frame.length - cut));
        bytes[at % bytes.length] = value;
        return bytes;
      }),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (frame) => {
        const reply = await ask(frame);
        expect(reply.length).toBeGreaterThanOrEqual(3);
      }),
      { numRuns: 300 },
    );
    const { clock } = grid;
    (clock as ManualClock).advance(100_000);
    await grid.pass(2_000);
    expect(grid.tasks).toBe(0);
  });
});

describe('what lies in the cells', () => {
  it('does not lead to vertices that were deleted, nor to others in their slots', async () => {
    const grid = await TestShards.open(2);
    const [start, gone, stays] = [0, 1, 2].map((key) => grid.vertex('page', key)) as [number, number, number];
    for (const id of [gone, stays, strayId(3, 1_000), strayId(0, 0xffff_ffff)])
      grid.link(LINKS.adjacency('out'), start, [id]);
    grid.deleteVertex('page', 1);
    for (let key = 100; key < 200; key++) grid.vertex('page', key);
    const asked: Search = { ...along, returns: 'vertices', isCounting: true, orderBy: 'count' };
    expect(await grid.drive(grid.searcher.search(asked))).toEqual({
      vertices: [{ schema: 'page', key: 2, level: 1, count: 1 }],
      total: 1,
    });
  });

  it('finds who bought this also bought', async () => {
    const grid = await TestShards.open(2);
    const users = ['u1', 'u2', 'u3'].map((key) => grid.vertex('user', key));
    const products = ['p1', 'p2', 'p3', 'ä'].map((key) => grid.vertex('product', key));
    const bought = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 3],
      [0, 3],
    ] as const;
    for (const [user, product] of bought) grid.edge(PURCHASED, users[user]!, products[product]!);
    const asked: Search = {
      ...along,
      start: [{ schema: 'product', key: 'p1' }],
      hops: [
        { edge: PURCHASED, direction: 'in', repeat: 1 },
        { edge: PURCHASED, direction: 'out', repeat: 1 },
      ],
      returns: 'vertices',
      isCounting: true,
      orderBy: 'count',
    };
    expect(await grid.drive(grid.searcher.search(asked))).toEqual({
      vertices: [
        { schema: 'product', key: 'p2', level: 2, count: 2 },
        { schema: 'product', key: 'p3', level: 2, count: 1 },
        { schema: 'product', key: 'ä', level: 2, count: 1 },
      ],
      total: 3,
    });
  });

  it('is walked in slices, hubs and wide levels too, also where lists are written meanwhile', async () => {
    const grid = await TestShards.open(2, systemClock);
    const width = 60_000;
    const ids = Array.from({ length: width }, (_, key) => grid.vertex('page', key));
    const out = LINKS.adjacency('out');
    for (let at = 1; at < width; at += 8_192) grid.link(out, ids[0]!, ids.slice(at, at + 8_192));
    for (let i = 1; i < width; i++) grid.link(out, ids[i]!, [ids[(i * 7) % width]!, ids[1]!]);
    const later = Array.from({ length: 2_000 }, (_, i) => grid.vertex('page', width + i));
    const asked: Search = {
      ...along,
      hops: [{ edge: LINKS, direction: 'out', repeat: 2 }],
      budget: { ...BUDGET, ms: 30_000 },
    };
    const counted: Search = { ...asked, returns: 'vertices', isCounting: true, orderBy: 'count', limit: 2 };
    const answers = Promise.all([grid.searcher.search(asked), grid.searcher.search(counted)]);
    for (const id of later) {
      grid.link(out, ids[0]!, [id]);
      await new Promise<void>((resolve) => systemClock.soon(resolve));
    }
    const [levels, rows] = (await answers) as [LevelsAnswer, VerticesAnswer];
    expect(levels.levels[1]).toBeGreaterThanOrEqual(width - 1);
    expect(levels.reached).toBeLessThanOrEqual(width + later.length);
    expect(rows.total).toBeGreaterThanOrEqual(width - 1);
    expect(grid.shards.get('shard-0')!.slices).toBeGreaterThan(5);
    for (const { bus } of grid.shards.values()) await bus.close();
    for (const { engine } of grid.shards.values()) engine.close();
  }, 60_000);
});
