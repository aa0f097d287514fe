import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withLock } from './lock.mjs';

const nobodyWaits = (pid) => {
  throw new Error(`waited for process ${pid}`);
};

describe('withLock', () => {
  let folder;
  let path;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'niobe-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('runs one after the other and leaves no file', async () => {
    const events = [];
    const work = (name) => async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
    };
    await Promise.all([withLock(path, () => undefined, work('a')), withLock(path, () => undefined, work('b'))]);
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(existsSync(path)).toBe(false);
  });

  it('takes over from a process that was killed', async () => {
    const holder = await startHolder();
    expect(existsSync(path)).toBe(true);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expect(withLock(path, nobodyWaits, () => 'done')).resolves.toBe('done');
  });

  it('waits for a process that lives', async () => {
    const holder = await startHolder();
    const waitedFor = [];
    const second = withLock(
      path,
      (pid) => {
        waitedFor.push(pid);
        holder.kill('SIGKILL');
      },
      () => 'done',
    );
    await expect(second).resolves.toBe('done');
    expect(waitedFor).toEqual([holder.pid]);
  });

  it('takes over a lock that nobody renews, though its process id is in use', async () => {
    writeFileSync(path, String(process.pid));
    utimesSync(path, new Date(0), new Date(0));
    await expect(withLock(path, nobodyWaits, () => 'done')).resolves.toBe('done');
  });

  it('is released when the work fails', async () => {
    const failing = withLock(path, nobodyWaits, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    expect(existsSync(path)).toBe(false);
  });

  /** A process that holds the lock until it is killed. */
  async function startHolder() {
    const module = JSON.stringify(new URL('./lock.mjs', import.meta.url).href);
    const script = `import { withLock } from ${module};
      await withLock(${JSON.stringify(path)}, () => 0, async () => { console.log('held'); setInterval(() => 0, 1000); await new Promise(() => 0); });`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    return holder;
  }
});
