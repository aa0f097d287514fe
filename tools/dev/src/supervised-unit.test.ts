import { appendFileSync, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock, until } from '@niobe/kernel';
import { startProcess } from './managed-process.ts';
import { restartPauseMs, SupervisedUnit, type Death, type UnitEvents } from './supervised-unit.ts';

const LIMIT_MS = 10_000;

describe('restartPauseMs', () => {
  it('doubles from half a second to ten', () => {
    expect([1, 2, 3, 4, 5, 6, 100].map(restartPauseMs)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });
});

describe('SupervisedUnit', () => {
  let folder: string;
  let deaths: Death[];
  let pids: number[];
  let units: SupervisedUnit[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'niobe-dev-'));
    [deaths, pids, units] = [[], [], []];
  });

  afterEach(async () => {
    await Promise.all(units.map((unit) => unit.stop(LIMIT_MS)));
    await rm(folder, { recursive: true });
  });

  /** A unit that runs a few lines of JavaScript in a real process. */
  const unitOf = (script: string): SupervisedUnit => {
    const logFile = join(folder, 'unit.log');
    const start = { name: 'unit', command: process.execPath, args: ['-e', script], env: { FOLDER: folder }, logFile };
    const events: UnitEvents = {
      started: (_, pid) => void pids.push(pid),
      ended: () => undefined,
      died: (_, death) => void deaths.push(death),
    };
    const unit = new SupervisedUnit({ name: 'unit', logFile, start: () => startProcess(start) }, events, systemClock);
    units.push(unit);
    return unit;
  };
  const exists = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('starts a killed process again and shows its last lines', async () => {
    const unit = unitOf(`console.log('{"level":"warn","msg":"about","error":"to end"}'); setInterval(() => {}, 1000)`);
    await unit.start();
    await until(systemClock, () => existsSync(unit.logFile), LIMIT_MS, 'a log');
    await until(systemClock, () => unit.state === 'running' && pids.length === 1, LIMIT_MS, 'the first process');
    appendFileSync(unit.logFile, 'last words\n');
    process.kill(pids[0]!, 'SIGKILL');
    await until(systemClock, () => pids.length === 2, LIMIT_MS, 'the second process');
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toMatchObject({ how: 'killed by SIGKILL', restartMs: 500 });
    expect(deaths[0]!.lastLines).toContain('last words');
    expect(unit.state).toBe('running');
  });

  it('waits longer from death to death', async () => {
    const unit = unitOf('process.exit(3)');
    await unit.start();
    await until(systemClock, () => deaths.length === 2, LIMIT_MS, 'two deaths');
    expect(deaths.map(({ how, restartMs }) => [how, restartMs])).toEqual([
      ['exit code 3', 500],
      ['exit code 3', 1_000],
    ]);
    expect(unit.state).toBe('restarting');
  });

  it('does not start again what says that its configuration is wrong', async () => {
    const unit = unitOf('process.exit(78)');
    await unit.start();
    await until(systemClock, () => unit.state === 'failed', LIMIT_MS, 'the failure');
    expect(deaths).toEqual([expect.objectContaining({ how: 'exit code 78', restartMs: null })]);
  });

  it('stops a process that ends orderly, by its signal', async () => {
    const script = `
      process.on('SIGTERM', () => { require('fs').writeFileSync(process.env.FOLDER + '/orderly', ''); process.exit(0); });
      require('fs').writeFileSync(process.env.FOLDER + '/up', '');
      setInterval(() => {}, 1000);`;
    const unit = unitOf(script);
    await unit.start();
    await until(systemClock, () => existsSync(join(folder, 'up')), LIMIT_MS, 'the process');
    await unit.stop(LIMIT_MS);
    expect(existsSync(join(folder, 'orderly'))).toBe(true);
    expect(exists(pids[0]!)).toBe(false);
    expect(deaths).toEqual([]);
  });

  it('ends a process that does not listen by force, and starts it no more', async () => {
    const script = `
      process.on('SIGTERM', () => {});
      require('fs').writeFileSync(process.env.FOLDER + '/up', '');
      setInterval(() => {}, 1000);`;
    const unit = unitOf(script);
    await unit.start();
    await until(systemClock, () => existsSync(join(folder, 'up')), LIMIT_MS, 'the process');
    await unit.stop(50);
    expect(exists(pids[0]!)).toBe(false);
    expect(unit.state).toBe('stopped');
    expect(deaths).toEqual([]);
  });

  it('stops in the pause between two processes', async () => {
    const unit = unitOf('process.exit(3)');
    await unit.start();
    await until(systemClock, () => unit.state === 'restarting', LIMIT_MS, 'the pause');
    await unit.stop(LIMIT_MS);
    await new Promise((resolve) => systemClock.after(restartPauseMs(1) + 200, () => resolve(null)));
    expect(pids).toHaveLength(1);
  });

  it('fails to start what does not exist', async () => {
    const spec = { name: 'unit', command: '/nowhere/niobe', args: [], env: {}, logFile: join(folder, 'unit.log') };
    await expect(startProcess(spec)).rejects.toThrow('cannot start unit (/nowhere/niobe)');
  });
});
