import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock, until } from '@niobe/kernel';
import { append, OWNER, pattern, round, Scratch, SMALL } from '../fixtures/scratch.ts';
import { DiskBackupStore, type DiskBackupStoreOptions } from './index.ts';

jest.setTimeout(60_000);

const REGISTER = { kind: 'register' } as const;

/** Puts another file behind a descriptor that this process has: what is done with it fails as the other file does. */
function replaceDescriptor(path: string, by: string): void {
  const links = readdirSync('/proc/self/fd').map((fd) => [Number(fd), linkOf(fd)] as const);
  const found = links.find(([, target]) => target === path);
  expect(found).toBeDefined();
  closeSync(found![0]);
  // The lowest free number is given away first; the ones below it are filled until it is this one's turn.
  const fillers: number[] = [];
  for (let fd = openSync(by, 'r+'); fd !== found![0]; fd = openSync(by, 'r+')) fillers.push(fd);
  for (const fd of fillers) closeSync(fd);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

describe('DiskBackupStore on a disk that fails', () => {
  let scratch: Scratch;
  let store: DiskBackupStore;
  const folder = (): string => scratch.path('store');

  async function open(options: Partial<DiskBackupStoreOptions> = {}): Promise<void> {
    store = await DiskBackupStore.open({ ...SMALL, folder: folder(), ...options });
  }

  beforeEach(async () => {
    scratch = await Scratch.make();
    await open();
    await round(store, [3, REGISTER], [3, append(0, pattern(1_000, 1))]);
  });
  afterEach(async () => {
    await store.close();
    await scratch.remove();
  });

  async function expectEnded(): Promise<void> {
    await store.prepare(10, 1);
    store.stage(3, OWNER, append(store.holding(3).segments[0]!.heldBytes, pattern(10, 9)));
    await expect(store.sync()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }

  it.each([
    ['write', '/dev/full'],
    ['sync', '/dev/null'],
  ])('ends at a %s of the journal that fails; the round does not exist, the ones before do', async (_, by) => {
    replaceDescriptor(`${folder()}/journal/part-0`, by);
    await expect(round(store, [3, append(1_000, pattern(500, 2))])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expectEnded();
    await store.close();
    await open();
    expect(store.damage).toEqual([]);
    expect(await store.read(3, 1, 1, 0, 9_999)).toEqual(pattern(1_000, 1));
  });

  it('ends when a segment file cannot be synced, and the journal still has it', async () => {
    await store.read(3, 1, 1, 0, 1);
    replaceDescriptor(`${folder()}/segments/3/1-1.segment`, '/dev/null');
    await store.close();
    await open();
    expect(store.damage).toEqual([]);
    expect(await store.read(3, 1, 1, 0, 9_999)).toEqual(pattern(1_000, 1));
  });

  it('ends when a segment file cannot be synced before it is closed to make room for others', async () => {
    for (const partition of [4, 5]) await round(store, [partition, REGISTER], [partition, append(0, pattern(10, 1))]);
    await store.read(3, 1, 1, 0, 1);
    replaceDescriptor(`${folder()}/segments/3/1-1.segment`, '/dev/null');
    for (const partition of [4, 5]) await store.read(partition, 1, 1, 0, 1).catch(() => undefined);
    await expectEnded();
  });

  it('ends when a checkpoint in the background fails', async () => {
    await store.read(3, 1, 1, 0, 1);
    replaceDescriptor(`${folder()}/segments/3/1-1.segment`, '/dev/null');
    let heldBytes = 1_000;
    const fails = async (): Promise<boolean> => {
      const bytes = pattern(40_000, heldBytes);
      const isTaken = await round(store, [3, append(heldBytes, bytes)]).then(
        () => true,
        () => false,
      );
      heldBytes += bytes.length;
      return !isTaken;
    };
    await until(systemClock, fails, 20_000, 'the store ending', 1);
    await expectEnded();
  });

  it('keeps what waits while a segment file has no room, refuses more with DISK_FULL, and goes on when there is room', async () => {
    await store.read(3, 1, 1, 0, 1);
    replaceDescriptor(`${folder()}/segments/3/1-1.segment`, '/dev/full');
    let heldBytes = 1_000;
    const refusals: unknown[] = [];
    while (refusals.length < 3) {
      await round(store, [3, append(heldBytes, pattern(30_000, heldBytes))]).then(
        () => (heldBytes += 30_000),
        (error: unknown) => refusals.push(error),
      );
    }
    expect(refusals).toEqual(refusals.map(() => expect.objectContaining({ code: 'DISK_FULL' })));
    expect(heldBytes).toBeLessThanOrEqual(1_000 + 2 * SMALL.roundBufferBytes!);
    const copy = await DiskBackupStore.open({ ...SMALL, folder: await scratch.copy(folder()) });
    expect((await copy.read(3, 1, 1, 0, heldBytes + 1)).length).toBe(heldBytes);
    await copy.close();
    replaceDescriptor('/dev/full', `${folder()}/segments/3/1-1.segment`);
    expect(await store.read(3, 1, 1, 0, 1_000)).toEqual(pattern(1_000, 1));
    await round(store, [3, append(heldBytes, pattern(30_000, heldBytes))]);
    expect((await store.read(3, 1, 1, 0, heldBytes * 2)).length).toBe(heldBytes + 30_000);
  });

  it('refuses payload with DISK_FULL where little space is left, and takes what may free some', async () => {
    await store.close();
    await open({ freeBytesMin: Number.MAX_SAFE_INTEGER });
    const refused = round(store, [3, append(1_000, pattern(10_000, 2))]);
    await expect(refused).rejects.toMatchObject({ code: 'DISK_FULL', details: { retryAfterMs: expect.any(Number) } });
    expect(store.holding(3).segments[0]!.heldBytes).toBe(1_000);
    expect(await round(store, [3, { kind: 'free', segment: 1, segmentEpoch: 1 }])).toEqual([{ kind: 'OK' }]);
  });
});
