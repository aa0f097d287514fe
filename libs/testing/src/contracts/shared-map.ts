import { NiobeError, systemClock, until } from '@niobe/kernel';
import type { MapEntry, ParseRow, SharedMap, SharedMaps } from '@niobe/grid';
import { afterAll, beforeAll, describe, expect, it } from '../jest-globals.ts';

/** A notice board to test: two processes that look at it, and a way to hide it from them. */
export interface SharedMapsFixture {
  readonly one: SharedMaps;
  readonly other: SharedMaps;
  /** Interrupts both while `during` runs; false where that cannot be. Nothing can be written in between. */
  interrupt?(during: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

interface Count {
  readonly count: number;
}

const SOON_MS = 30_000;

const parseCount: ParseRow<Count> = (row) => {
  if (typeof row === 'object' && row !== null && 'count' in row && typeof row.count === 'number')
    return { count: row.count };
  throw new NiobeError('MALFORMED', 'a row without a count');
};

/** What every `SharedMaps` keeps: run on the twin and on the real one. */
export function sharedMapContract(title: string, make: () => Promise<SharedMapsFixture>): void {
  describe(`${title} keeps the contract of SharedMap`, () => {
    let fixture: SharedMapsFixture;
    let maps = 0;

    beforeAll(async () => {
      fixture = await make();
    });
    afterAll(async () => fixture?.close());

    async function openBoth(): Promise<[SharedMap<Count>, SharedMap<Count>]> {
      const name = `contract-${maps++}`;
      return [await fixture.one.open(name, parseCount), await fixture.other.open(name, parseCount)];
    }

    it('has no row that nobody created', async () => {
      const [map] = await openBoth();
      expect(await map.get('a')).toBeNull();
      expect(await map.keys()).toEqual([]);
    });

    it('creates once, and shows it to others', async () => {
      const [map, other] = await openBoth();
      const revision = await map.create('a', { count: 1 });
      expect(await other.get('a')).toEqual({ value: { count: 1 }, revision });
      await expectCode(other.create('a', { count: 2 }), 'EXISTS');
      expect(await map.get('a')).toEqual({ value: { count: 1 }, revision });
    });

    it('updates at the revision named and at no other', async () => {
      const [map, other] = await openBoth();
      const first = await map.create('a', { count: 1 });
      const second = await other.update('a', { count: 2 }, first);
      expect(second).toBeGreaterThan(first);
      await expectCode(map.update('a', { count: 3 }, first), 'REVISION_MISMATCH');
      await expectCode(map.update('b', { count: 3 }, first), 'REVISION_MISMATCH');
      expect(await map.get('a')).toEqual({ value: { count: 2 }, revision: second });
    });

    it('deletes, and lets the key be created again at a higher revision', async () => {
      const [map, other] = await openBoth();
      const first = await map.create('a', { count: 1 });
      await expectCode(other.delete('a', first + 1), 'REVISION_MISMATCH');
      await other.delete('a', first);
      expect(await map.get('a')).toBeNull();
      expect(await map.keys()).toEqual([]);
      await map.delete('a');
      await map.delete('a', first);
      await expectCode(map.update('a', { count: 2 }, first), 'REVISION_MISMATCH');
      expect(await map.create('a', { count: 3 })).toBeGreaterThan(first);
      await map.delete('a');
      expect(await other.get('a')).toBeNull();
    });

    it('takes any text as a key', async () => {
      const [map, other] = await openBoth();
      const keys = ['a', 'A', 'a.b', '.a.', '..', 'cube/x@1/0', '=41', 'a b', '*', '>', '$', 'é€😀', '#next-id', '_-'];
      for (const [count, key] of keys.entries()) await map.create(key, { count });
      expect((await other.keys()).sort()).toEqual([...keys].sort());
      for (const [count, key] of keys.entries()) expect((await other.get(key))?.value).toEqual({ count });
    });

    it('refuses keys and values beyond its bounds', async () => {
      const [map] = await openBoth();
      await expectCode(map.create('', { count: 1 }), 'BAD_REQUEST');
      await expectCode(map.get('x'.repeat(201)), 'BAD_REQUEST');
      const long = { count: 1, text: 'x'.repeat(600 * 1024) };
      await expectCode(map.create('a', long), 'TOO_LARGE');
      expect(await map.get('a')).toBeNull();
    });

    it('lets one of many creators win', async () => {
      const [map, other] = await openBoth();
      const tries = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? map : other).create('a', { count: i }));
      const ends = await Promise.allSettled(tries);
      const won = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [i] : []));
      expect(won).toHaveLength(1);
      expect((await map.get('a'))?.value).toEqual({ count: won[0] });
    });

    it('loses no increment of many that compare and set', async () => {
      const [map, other] = await openBoth();
      await map.create('a', { count: 0 });
      await Promise.all([map, other, map, other].map((by) => incrementTimes(by, 10)));
      expect((await map.get('a'))?.value).toEqual({ count: 40 });
    });

    it('watches what is there, then what changes, and says when it is caught up', async () => {
      const [map, other] = await openBoth();
      await map.create('a', { count: 1 });
      await map.create('b', { count: 2 });
      const seen = new Seen(other);
      await seen.caughtUp();
      expect(seen.state()).toEqual({ a: 1, b: 2 });
      const revision = await map.create('c', { count: 3 });
      await map.update('c', { count: 4 }, revision);
      await map.delete('a');
      await seen.becomes({ b: 2, c: 4 });
      expect(seen.lastOf('c')).toEqual(await map.get('c').then((row) => ({ key: 'c', ...row })));
      seen.close();
    });

    it('says that it is caught up with an empty map, and with one whose rows were deleted', async () => {
      const [map, other] = await openBoth();
      const seen = new Seen(other);
      await seen.caughtUp();
      await map.create('a', { count: 1 });
      await seen.becomes({ a: 1 });
      seen.close();
      await map.delete('a');
      const again = new Seen(other);
      await again.caughtUp();
      expect(again.state()).toEqual({});
      again.close();
    });

    it('leaves out rows that cannot be read, and goes on', async () => {
      const [map, other] = await openBoth();
      const loose = (await fixture.one.open(map.name, (row) => row)) as SharedMap<unknown>;
      await loose.create('bad', { total: 1 });
      await map.create('good', { count: 1 });
      await expectCode(other.get('bad'), 'MALFORMED');
      const seen = new Seen(other);
      await seen.caughtUp();
      expect(seen.state()).toEqual({ good: 1 });
      expect(seen.bad).toEqual(['bad']);
      await map.create('later', { count: 2 });
      await seen.becomes({ good: 1, later: 2 });
      seen.close();
    });

    it('tells nothing more when a watch is closed', async () => {
      const [map, other] = await openBoth();
      const closed = new Seen(other);
      const open = new Seen(other);
      await Promise.all([closed.caughtUp(), open.caughtUp()]);
      closed.close();
      await map.create('a', { count: 1 });
      await open.becomes({ a: 1 });
      expect(closed.state()).toEqual({});
      open.close();
    });

    it('goes on after interruptions, with writes that wait and watches that miss nothing', async () => {
      const [map, other] = await openBoth();
      await map.create('a', { count: 0 });
      await map.create('gone', { count: 9 });
      await map.create('same', { count: 7 });
      const seen = new Seen(other);
      await seen.caughtUp();
      let writing: Promise<unknown> = Promise.resolve();
      const write = async (): Promise<void> => {
        writing = Promise.all([incrementTimes(map, 3), map.create('new', { count: 5 }), map.delete('gone')]);
      };
      await (fixture.interrupt?.(write) ?? write());
      await writing;
      await seen.becomes({ a: 3, new: 5, same: 7 });
      expect((await other.get('a'))?.value).toEqual({ count: 3 });
      await incrementTimes(map, 1);
      await seen.becomes({ a: 4, new: 5, same: 7 });
      expect([seen.caughtUpTimes, seen.timesTold('same')]).toEqual([1, 1]);
      seen.close();
    });
  });
}

/** What a watch has told. */
class Seen {
  readonly bad: string[] = [];
  caughtUpTimes = 0;
  readonly #entries = new Map<string, MapEntry<Count>>();
  readonly #times = new Map<string, number>();
  readonly #watch: { close(): void };

  constructor(map: SharedMap<Count>) {
    this.#watch = map.watch({
      onEntry: (entry) => this.#take(entry),
      onCaughtUp: () => void (this.caughtUpTimes += 1),
      onBadRow: (key) => void this.bad.push(key),
    });
  }

  state(): Record<string, number> {
    const present = [...this.#entries.values()].filter((entry) => entry.value !== null);
    return Object.fromEntries(present.map((entry) => [entry.key, entry.value!.count]));
  }

  /** How often the watch has told of a key. */
  timesTold(key: string): number {
    return this.#times.get(key) ?? 0;
  }

  lastOf(key: string): MapEntry<Count> | undefined {
    return this.#entries.get(key);
  }

  caughtUp(): Promise<void> {
    return until(systemClock, () => this.caughtUpTimes > 0, SOON_MS, 'the watch being caught up');
  }

  async becomes(state: Record<string, number>): Promise<void> {
    const same = (): boolean => {
      const now = this.state();
      return (
        Object.keys(now).length === Object.keys(state).length &&
        Object.entries(state).every(([key, count]) => now[key] === count)
      );
    };
    await until(systemClock, same, SOON_MS, `the watch showing ${JSON.stringify(state)}`);
  }

  close(): void {
    this.#watch.close();
  }

  #take(entry: MapEntry<Count>): void {
    this.#entries.set(entry.key, entry);
    this.#times.set(entry.key, this.timesTold(entry.key) + 1);
  }
}

async function incrementTimes(map: SharedMap<Count>, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const found = await map.get('a');
    try {
      await map.update('a', { count: found!.value.count + 1 }, found!.revision);
      done += 1;
    } catch (error) {
      if (!(error instanceof NiobeError) || error.code !== 'REVISION_MISMATCH') throw error;
    }
  }
}

async function expectCode(outcome: Promise<unknown>, code: string): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ name: 'NiobeError', code });
}
