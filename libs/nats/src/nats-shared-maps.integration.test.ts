import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isNiobeError, silentLogger, systemClock, systemRandom, until } from '@niobe/kernel';
import { describeWithLocalNats, KillableNats, sharedMapContract } from '@niobe/testing';
import { connectNats, type NatsGrid } from './connect.ts';

const SOON_MS = 30_000;

function connect(nats: KillableNats, replicas: 1 | 3 = 1): Promise<NatsGrid> {
  const options = { servers: [nats.url], name: 'test', deployment: 'test', replicas, connectTimeoutMs: 10_000 };
  return connectNats({ ...options, clock: systemClock, random: systemRandom(), logger: silentLogger });
}

const anyRow = (row: unknown): unknown => row;

/** A server that runs says at once that nobody listens. */
async function answersNothing(grid: NatsGrid): Promise<boolean> {
  const asked = grid.bus.request('nobody.listens', new Uint8Array(1), { deadlineMs: 100 });
  return asked.then(
    () => false,
    (error: unknown) => isNiobeError(error, 'DEADLINE'),
  );
}

describeWithLocalNats('with nats-server', () => {
  sharedMapContract('NatsSharedMaps', async () => {
    const nats = await KillableNats.start();
    const one = await connect(nats);
    const other = await connect(nats);
    return {
      one: one.maps,
      other: other.maps,
      interrupt: async (during) => {
        await nats.kill();
        await during();
        await nats.restart();
      },
      close: async () => {
        await Promise.all([one.close(), other.close()]);
        await nats.remove();
      },
    };
  });

  describe('a map whose server is in trouble', () => {
    let nats: KillableNats;
    let grid: NatsGrid;

    beforeAll(async () => {
      nats = await KillableNats.start();
      grid = await connect(nats);
    });
    afterAll(async () => {
      await grid?.close();
      await nats?.remove();
    });

    it('keeps every acknowledged write over kill -9, again and again, and its watch sees each', async () => {
      const map = await grid.maps.open('killed', anyRow);
      const seen: unknown[] = [];
      map.watch({ onEntry: (entry) => seen.push(entry.value) });
      let revision = await map.create('a', 0);
      for (let round = 1; round <= 3; round++) {
        await nats.kill();
        const update = map.update('a', round, revision);
        await nats.restart();
        revision = await update;
        expect(await map.get('a')).toEqual({ value: round, revision });
        await until(systemClock, () => seen.at(-1) === round, SOON_MS, `the watch seeing write ${round}`);
      }
    });

    it('settles a write whose answer comes after the client gave up waiting for it', async () => {
      const map = await grid.maps.open('frozen', anyRow);
      const revision = await map.create('a', 0);
      nats.pause();
      await until(systemClock, () => answersNothing(grid), SOON_MS, 'the server standing still');
      const update = map.update('a', 1, revision);
      const frozenUntilMs = systemClock.monotonicMs() + 2_500;
      await until(systemClock, () => systemClock.monotonicMs() > frozenUntilMs, SOON_MS, 'the answer being late');
      nats.resume();
      expect(await map.get('a')).toEqual({ value: 1, revision: await update });
    });

    it('tells a store that was lost as rows that have gone, and works on with an empty one', async () => {
      const map = await grid.maps.open('lost', anyRow);
      const state = new Map<string, unknown>();
      map.watch({ onEntry: (entry) => state.set(entry.key, entry.value) });
      await map.create('a', 1);
      await map.create('b', 2);
      await until(systemClock, () => state.size === 2, SOON_MS, 'both rows');
      await nats.kill();
      await nats.restartEmpty();
      await until(
        systemClock,
        () => state.get('a') === null && state.get('b') === null,
        SOON_MS,
        'the rows being gone',
      );
      expect(await map.get('a')).toBeNull();
      await map.create('a', 3);
      await until(systemClock, () => state.get('a') === 3, SOON_MS, 'the new row');
    });

    it('says what to change where copies are asked of a server that stands alone', async () => {
      const copies = await connect(nats, 3);
      await expect(copies.maps.open('copies', anyRow)).rejects.toMatchObject({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('replicas'),
      });
      await copies.close();
    });
  });
});
