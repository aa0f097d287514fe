import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock, until } from '@niobe/kernel';
import { Scratch } from '../fixtures/scratch.ts';
import { FolderLock } from './folder-lock.ts';

describe('FolderLock', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await Scratch.make();
  });
  afterEach(async () => scratch.remove());

  /** Leaves the lock that this process would have, with parts of it changed: `lock.<pid>.<started>.<boot>.<mark>`. */
  async function leave(part: number, value: string): Promise<void> {
    const lock = await FolderLock.take(scratch.folder);
    const parts = (await readdir(scratch.folder))[0]!.split('.');
    await lock.release();
    parts[part] = value;
    await writeFile(scratch.path(parts.join('.')), '');
  }

  async function expectTakenOver(pid: number): Promise<void> {
    const lock = await FolderLock.take(scratch.folder);
    expect(lock.tookOverFrom).toBe(pid);
    expect(await readdir(scratch.folder)).toHaveLength(1);
    await lock.release();
  }

  it('is refused while its owner lives, naming it, and free afterwards', async () => {
    const lock = await FolderLock.take(scratch.folder);
    for (let times = 0; times < 2; times++)
      await expect(FolderLock.take(scratch.folder)).rejects.toMatchObject({
        code: 'BAD_CONFIG',
        message: expect.stringContaining(`process ${process.pid}`),
      });
    expect(await readdir(scratch.folder)).toHaveLength(1);
    await lock.release();
    expect(await readdir(scratch.folder)).toEqual([]);
    const again = await FolderLock.take(scratch.folder);
    expect(again.tookOverFrom).toBeNull();
  });

  it('is taken over from a process that has ended', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await leave(1, String(child.pid));
    await expectTakenOver(child.pid!);
  });

  it('is taken over from a process that was killed and that nobody has waited for', async () => {
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600']);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const started = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[21]!;
    await leave(1, String(pid));
    const [name] = await readdir(scratch.folder);
    await rename(scratch.path(name!), scratch.path(name!.replace(/^(lock\.\d+)\.\w+/, `$1.${started}`)));
    await expect(FolderLock.take(scratch.folder)).rejects.toMatchObject({ code: 'BAD_CONFIG', details: { pid } });
    process.kill(pid, 'SIGKILL');
    const isDead = async (): Promise<boolean> => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[2] === 'Z';
    await until(systemClock, isDead, 20_000, 'its end');
    await expectTakenOver(pid);
    parent.kill('SIGKILL');
  });

  it('is taken over where the id belongs to another process by now, or did in another boot', async () => {
    await leave(2, '1');
    await expectTakenOver(process.pid);
    await leave(3, '0123456789abcdef');
    await expectTakenOver(process.pid);
  });

  it('never goes to two that come at a time, and to the next one that comes alone', async () => {
    for (let times = 0; times < 60; times++) {
      await leave(2, '1');
      const takes = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => takeLater(i * (times % 6))));
      const taken = takes.filter((take) => take.status === 'fulfilled');
      expect(taken.length).toBeLessThanOrEqual(1);
      for (const { value } of taken) await value.release();
      expect(await readdir(scratch.folder)).toEqual([]);
      await (await FolderLock.take(scratch.folder)).release();
    }
  });

  /** Takes the lock after `turns` turns of the event loop. */
  async function takeLater(turns: number): Promise<FolderLock> {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve));
    return FolderLock.take(scratch.folder);
  }
});
