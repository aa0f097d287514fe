import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock, until } from '@niobe/kernel';

const PARENT = `
  import { spawn } from 'node:child_process';
  import { killWithParent } from ${JSON.stringify(new URL('./watchdog.ts', import.meta.url).href)};
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore', detached: true });
  const standDown = killWithParent(child.pid);
  process.on('SIGUSR2', () => { standDown(); process.stdout.write('stood down'); });
  process.stdout.write(String(child.pid));
  setInterval(() => 0, 1000);
`;

/** A process that is dead and not yet collected by its parent (state Z) has ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !state(pid).startsWith('Z');
  } catch {
    return false;
  }
}

function state(pid: number): string {
  if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  // The name in parentheses may hold anything; the state follows it.
  return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '');
}

describe('killWithParent', () => {
  let childPid = 0;
  afterEach(() => {
    if (isRunning(childPid)) process.kill(childPid, 'SIGKILL');
  });

  it('kills the child when the parent is killed with SIGKILL', async () => {
    const parent = await startParent();
    expect(isRunning(childPid)).toBe(true);
    parent.kill('SIGKILL');
    await until(systemClock, () => !isRunning(childPid), 10_000, 'the end of the child');
    expect(isRunning(childPid)).toBe(false);
  });

  it('leaves alone what it was stood down from', async () => {
    const parent = await startParent();
    parent.kill('SIGUSR2');
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(isRunning(childPid)).toBe(true);
  });

  async function startParent() {
    const args = ['--conditions=@niobe/source', '--no-warnings', '--input-type=module', '-e', PARENT];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    childPid = Number(output.toString());
    return parent;
  }
});
