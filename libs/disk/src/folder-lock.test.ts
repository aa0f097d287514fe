import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Scratch } from '../fixtures/scratch.ts';
import { FolderLock } from './folder-lock.ts';

describe('FolderLock', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await Scratch.make();
  });
  afterEach(async () => scratch.remove());

  async function leave(owner: object): Promise<void> {
    await writeFile(scratch.path('lock'), JSON.stringify(owner));
  }

  async function ownerHere(): Promise<{ pid: number; started: string; boot: string }> {
    const lock = await FolderLock.take(scratch.folder);
    const owner = JSON.parse(await readFile(scratch.path('lock'), 'utf8')) as Awaited<ReturnType<typeof ownerHere>>;
    await lock.release();
    return owner;
  }

  it('is refused while its owner lives, naming it, and free afterwards', async () => {
    const lock = await FolderLock.take(scratch.folder);
    await expect(FolderLock.take(scratch.folder)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await lock.release();
    expect(await readdir(scratch.folder)).toEqual([]);
    await (await FolderLock.take(scratch.folder)).release();
  });

  it('is taken over from a process that has ended', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await leave({ ...(await ownerHere()), pid: child.pid });
    const lock = await FolderLock.take(scratch.folder);
    expect(lock.tookOverFrom).toBe(child.pid);
    expect(await readdir(scratch.folder)).toEqual(['lock']);
  });

  it('is taken over where the id belongs to another process by now', async () => {
    const here = await ownerHere();
    for (const other of [{ started: '1' }, { boot: 'another' }]) {
      await leave({ ...here, ...other });
      const lock = await FolderLock.take(scratch.folder);
      expect(lock.tookOverFrom).toBe(process.pid);
      await lock.release();
    }
  });

  it.each(['', '{', '7', '{"pid":"x"}'])('is taken over where it was cut to %j', async (content) => {
    await writeFile(scratch.path('lock'), content);
    const lock = await FolderLock.take(scratch.folder);
    expect(lock.tookOverFrom).toBeNull();
    await lock.release();
  });

  it('goes to one of many that find it stale', async () => {
    await leave({ ...(await ownerHere()), started: '1' });
    const takes = await Promise.allSettled(Array.from({ length: 12 }, () => FolderLock.take(scratch.folder)));
    expect(takes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(scratch.folder)).toEqual(['lock']);
  });

  it('is not released by one that lost it', async () => {
    const lock = await FolderLock.take(scratch.folder);
    await leave({ pid: 1, started: '1', boot: 'x' });
    await lock.release();
    expect(await readdir(scratch.folder)).toEqual(['lock']);
  });
});
