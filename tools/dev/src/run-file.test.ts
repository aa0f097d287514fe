import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@niobe/kernel';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';
import { RunFile } from './run-file.ts';

describe('RunFile', () => {
  let folder: string;
  let children: ChildProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'niobe-run-'));
    children = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const idle = async (): Promise<ChildProcess & { pid: number }> => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    children.push(child);
    return child as ChildProcess & { pid: number };
  };
  const path = (): string => join(folder, 'run.json');
  const write = (run: object): void => writeFileSync(path(), JSON.stringify(run));
  /** A launcher that is no more. */
  const dead: ProcessIdentity = { name: 'launcher', pid: 999_999_999, started: '1', command: 'node main.ts' };
  const take = async (): Promise<string[]> => {
    const ended: string[] = [];
    await RunFile.take(folder, systemClock, (name) => ended.push(name));
    return ended;
  };

  it('ends what a dead launcher left behind', async () => {
    const child = await idle();
    write({ launcher: dead, children: [identify('shard-0', child.pid)] });
    expect(await take()).toEqual(['shard-0']);
    expect(identify('shard-0', child.pid)).toBeNull();
  });

  it('leaves alone a process that only has the number of a dead child', async () => {
    const child = await idle();
    const identity = identify('shard-0', child.pid)!;
    write({
      launcher: dead,
      children: [
        { ...identity, started: `${identity.started}0` },
        { ...identity, command: 'something else' },
        { ...identity, pid: -child.pid },
        { ...identity, pid: 0 },
      ],
    });
    expect(await take()).toEqual([]);
    expect(isRunning(identity)).toBe(true);
  });

  it('refuses while the launcher of the folder lives', async () => {
    const launcher = await idle();
    write({ launcher: identify('launcher', launcher.pid), children: [] });
    await expect(take()).rejects.toThrow(`Niobe is running here already (launcher pid ${launcher.pid})`);
  });

  it('keeps a record of this launcher and its children, and gives the folder back', async () => {
    const child = await idle();
    const file = await RunFile.take(folder, systemClock, () => undefined);
    file.started('shard-0', child.pid);
    const run = JSON.parse(readFileSync(path(), 'utf8')) as { launcher: ProcessIdentity; children: ProcessIdentity[] };
    expect(run.launcher.pid).toBe(process.pid);
    expect(run.children).toEqual([identify('shard-0', child.pid)]);
    file.ended('shard-0');
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toMatchObject({ children: [] });
    file.release();
    expect(existsSync(path())).toBe(false);
  });

  it.each(['', 'nonsense', '{"launcher":{}}', '{"launcher":null,"children":3}'])(
    'takes over a record that is %j',
    async (text) => {
      writeFileSync(path(), text);
      expect(await take()).toEqual([]);
    },
  );

  it('says in one line that the folder cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const impossible = join(folder, 'file', 'local');
    await expect(RunFile.take(impossible, systemClock, () => undefined)).rejects.toThrow(
      `cannot write to ${impossible}`,
    );
  });
});
