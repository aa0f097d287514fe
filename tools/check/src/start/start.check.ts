import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNiobeError, systemClock, until } from '@niobe/kernel';
import { isPortFree } from '@niobe/testing';
import type { Check } from '../check.ts';
import type { Verdict } from '../verdict.ts';
import { LaunchedStart, processesOf, type PastedCommands } from './launched-start.ts';
import { LiveStream } from './live-stream.ts';

const FIRST_START_MS = 240_000;
const NEXT_START_MS = 20_000;
const AFTER_KILL_MS = 60_000;
const STOP_MS = 20_000;
const COUNTED_MS = 5_000;
const LIVE_MS = 10_000;
const ALSO_MS = 30_000;
const PORT_SPAN = 70;
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** What a newcomer does with `npm start`, on a clone of the last commit. */
export const start: Check = {
  summary:
    'npm start on a fresh clone: its commands as printed, the live stream too, kills, Ctrl-C, a second start, --embedded',
  async run(verdict, options) {
    const scratch = mkdtempSync(join(tmpdir(), 'niobe-start-'));
    const clone = join(scratch, 'niobe');
    execFileSync('git', ['clone', '--quiet', options.repositoryDir, clone]);
    const portBase = await freePortBase();
    verdict.note(`clone ${clone}, ports from ${portBase}`);
    try {
      await checkRealStart(verdict, clone, portBase);
      await checkTakenPort(verdict, clone, portBase);
      await checkEmbedded(verdict, scratch, clone, portBase);
    } finally {
      for (const { pid } of processesOf(clone)) end(pid);
      if (!options.keep) rmSync(scratch, { recursive: true, force: true });
    }
  },
};

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

async function freePortBase(): Promise<number> {
  for (let base = FIRST_PORT; base < LAST_PORT; base += PORT_SPAN) if (await portsAreFree(base)) return base;
  throw new Error('no free range of ports');
}

async function portsAreFree(base: number): Promise<boolean> {
  for (let port = base; port < base + PORT_SPAN; port++) if (!(await isPortFree(port))) return false;
  return true;
}

async function checkRealStart(verdict: Verdict, clone: string, portBase: number): Promise<void> {
  const args = ['--port-base', String(portBase), '--brokers=real'];
  const first = await timed(
    verdict,
    'the first start, everything installed and provisioned',
    FIRST_START_MS,
    clone,
    args,
  );
  let count = await checkCommands(verdict, first.commands());
  first.kill('shard-0');
  await verdict.attempt('a killed shard is shown', () =>
    first.says(/shard-0 .*(ended|died|killed|SIGKILL)/, AFTER_KILL_MS),
  );
  await verdict.attempt('and answers again', () => answersAgain(first.commands(), count));
  await checkStop(verdict, first, clone, portBase);

  const second = await timed(verdict, 'the second start', NEXT_START_MS, clone, args);
  const after = await countNow(second.commands());
  verdict.expect(after >= count, 'it continues with the data it had', `${count} -> ${after}`);
  count = await checkCommands(verdict, second.commands());
  second.kill('launcher');
  await second.ended(STOP_MS);

  const third = await timed(verdict, 'a start after the launcher was killed with -9', AFTER_KILL_MS, clone, args);
  const kept = await countNow(third.commands());
  verdict.expect(kept >= count, 'it cleans up and continues', `${count} -> ${kept}`);
  await checkStop(verdict, third, clone, portBase);
}

async function timed(
  verdict: Verdict,
  name: string,
  deadlineMs: number,
  clone: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LaunchedStart> {
  const startMs = systemClock.monotonicMs();
  const launched = new LaunchedStart(clone, args, env);
  await launched.ready(2 * deadlineMs);
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  verdict.expect(
    seconds * 1_000 < deadlineMs,
    `${name}: ready in under ${deadlineMs / 1_000} s`,
    `${seconds.toFixed(1)} s`,
  );
  return launched;
}

/** Pastes the commands; gives the count behind the posted event. */
async function checkCommands(verdict: Verdict, commands: PastedCommands): Promise<number> {
  const before = await countNow(commands);
  const posted = paste(commands.post);
  verdict.expect(
    typeof posted['id'] === 'string',
    'the posted event gets its id',
    JSON.stringify(posted).slice(0, 100),
  );
  const raised = async (): Promise<boolean> => (await countNow(commands)) === before + 1;
  await verdict.attempt('its count is raised by one within 5 s', () =>
    until(systemClock, raised, COUNTED_MS, 'the count', 100),
  );
  const { rows } = paste(commands.top) as { rows?: unknown };
  verdict.expect(
    Array.isArray(rows) && rows.length > 0,
    'the cube that is asked answers',
    JSON.stringify(rows).slice(0, 120),
  );
  await checkLive(verdict, commands.live);
  await checkAlso(verdict, commands.also);
  return before + 1;
}

/** The clicks keep changing what is followed. */
async function checkLive(verdict: Verdict, command: string): Promise<void> {
  const stream = new LiveStream(command);
  await verdict.attempt('the cube that is followed live shows three different answers', () =>
    until(systemClock, () => stream.pages.size >= 3, LIVE_MS, 'three answers', 100),
  );
  const pages = [...stream.pages].map((text) => JSON.parse(text) as { rows?: readonly unknown[] });
  verdict.expect(
    pages.every(({ rows }) => Array.isArray(rows)),
    'each of them is a whole page',
  );
  await stream.end();
}

interface AlsoBought {
  readonly vertices?: readonly { readonly key: string; readonly count: number }[];
}

/** The clicks buy; so some product is soon bought together with the one that is asked for. */
async function checkAlso(verdict: Verdict, command: string): Promise<void> {
  let answer: AlsoBought = {};
  const found = (): boolean => {
    answer = paste(command) as AlsoBought;
    return (answer.vertices ?? []).length > 0;
  };
  await verdict.attempt('who bought a product also bought others', () =>
    until(systemClock, found, ALSO_MS, 'a product', 500),
  );
  const counts = (answer.vertices ?? []).map(({ count }) => count);
  const inOrder = counts.every((count, i) => count > 0 && (i === 0 || count <= counts[i - 1]!));
  verdict.expect(inOrder, 'those that most have bought come first', counts.join(' '));
}

function paste(command: string): Record<string, unknown> {
  return JSON.parse(execFileSync('bash', ['-c', command], { encoding: 'utf8' })) as Record<string, unknown>;
}

/** The largest number of the only row: its count; 0 where there is no row yet. */
function countNow(commands: PastedCommands): Promise<number> {
  const { rows } = paste(commands.count) as { rows?: readonly Record<string, unknown>[] };
  if (rows === undefined) return Promise.resolve(Number.NaN);
  const numbers = Object.values(rows[0] ?? {}).filter((value) => typeof value === 'number');
  return Promise.resolve(Math.max(0, ...numbers));
}

async function answersAgain(commands: PastedCommands, count: number): Promise<void> {
  const answers = async (): Promise<boolean> => {
    try {
      return (await countNow(commands)) >= count;
    } catch (error) {
      if (isNiobeError(error)) throw error;
      return false;
    }
  };
  await until(systemClock, answers, AFTER_KILL_MS, 'an answer', 200);
}

async function checkStop(verdict: Verdict, launched: LaunchedStart, clone: string, portBase: number): Promise<void> {
  const tookMs = await launched.interrupt(2 * STOP_MS);
  verdict.expect(tookMs < STOP_MS, 'Ctrl-C ends it within 20 s', `${(tookMs / 1_000).toFixed(1)} s`);
  const left = processesOf(clone);
  verdict.expect(
    left.length === 0,
    'no process is left',
    left.map(({ text }) => text.split('\0', 3).join(' ')).join('; '),
  );
  verdict.expect(await portsAreFree(portBase), 'no port is left taken');
  const data = join(clone, '.niobe/local');
  const locks = existsSync(data)
    ? (readdirSync(data, { recursive: true }) as string[]).filter((file) =>
        /(^|\/)(lock|run\.json|.*\.lock)$/.test(file),
      )
    : [];
  const ours = locks.filter((file) => !/^(nats|kafka)\//.test(file));
  verdict.expect(ours.length === 0, 'no lock is left', ours.join(', '));
}

async function checkTakenPort(verdict: Verdict, clone: string, portBase: number): Promise<void> {
  const taken = createServer().listen(portBase + 10, '127.0.0.1');
  await once(taken, 'listening');
  const launched = new LaunchedStart(clone, ['--port-base', String(portBase)]);
  await launched.ended(AFTER_KILL_MS);
  const lines = launched.output.split('\n').filter((line) => line.includes(String(portBase + 10)));
  verdict.expect(
    launched.exitCode !== 0 && lines.length === 1,
    'a taken port: one line, exit not 0',
    lines[0] ?? launched.output.slice(-200),
  );
  taken.close();
}

/** A machine without Java, Maven, Go, pip and nats-server: only what Node itself needs is on the PATH. */
async function checkEmbedded(verdict: Verdict, scratch: string, clone: string, portBase: number): Promise<void> {
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  for (const program of ['node', 'npm', 'sh', 'env', 'git']) {
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(bin, program));
  }
  rmSync(join(clone, '.niobe'), { recursive: true, force: true });
  const args = ['--port-base', String(portBase), '--embedded'];
  const launched = await timed(verdict, 'the embedded start without any broker', AFTER_KILL_MS, clone, args, {
    PATH: bin,
  });
  verdict.expect(/memory only/.test(launched.output), 'it says that data is in memory only');
  await checkCommands(verdict, launched.commands());
  await checkStop(verdict, launched, clone, portBase);
}
