import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { messageOf, NiobeError, systemClock, until, withDeadline } from '@niobe/kernel';
import { killWithParent } from './watchdog.ts';

const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const LOG_TAIL_LINES = 5;

/** How a broker is started. */
export interface BrokerCommand {
  /** Name in messages. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  /** File that gets everything the broker prints; appended to. */
  readonly logFile: string;
  /** True as soon as the broker serves; it may throw until then. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
}

/** A broker running as a child of this process; it never outlives this process. */
export interface BrokerProcess {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends it in its own orderly way, by force after 30 s. Harmless when it has ended. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL). Harmless when it has ended. */
  kill(): Promise<void>;
  /** Freezes it (SIGSTOP): its connections stay open and nothing answers. */
  pause(): void;
  /** Goes on after {@link pause}. */
  resume(): void;
}

/** Starts a broker and waits until it is ready. A broker that does not get ready is killed before this throws. */
export async function startBrokerProcess(start: BrokerCommand): Promise<BrokerProcess> {
  const child = spawnLogged(start);
  const broker = watch(start, child, await spawned(start, child));
  try {
    await untilReady(start, child);
    return broker;
  } catch (error) {
    await broker.kill();
    throw new NiobeError('UNAVAILABLE', `${messageOf(error)}; the end of ${start.logFile}: ${logTail(start.logFile)}`);
  }
}

function spawnLogged({ command, args, logFile }: BrokerCommand): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    // Its own process group: Ctrl-C reaches only this process, which then stops its brokers in order.
    return spawn(command, args, { stdio: ['ignore', log, log], detached: true });
  } finally {
    closeSync(log);
  }
}

function spawned({ title, command }: BrokerCommand, child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid as number));
    child.once('error', (error) =>
      reject(new NiobeError('UNAVAILABLE', `cannot start ${title} (${command}): ${error.message}; npm run setup`)),
    );
  });
}

function watch({ title, logFile }: BrokerCommand, child: ChildProcess, pid: number): BrokerProcess {
  const standDown = killWithParent(pid);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(standDown);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await withDeadline(systemClock, exited, STOP_TIMEOUT_MS, `stopping ${title}`).catch(kill);
  };
  return { pid, logFile, exited, stop, kill, pause: () => child.kill('SIGSTOP'), resume: () => child.kill('SIGCONT') };
}

async function untilReady({ title, isReady, readyTimeoutMs }: BrokerCommand, child: ChildProcess): Promise<void> {
  const holds = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new NiobeError(
        'UNAVAILABLE',
        `${title} ended while starting (${child.signalCode ?? `code ${child.exitCode}`})`,
      );
    }
    return isReady().catch(() => false);
  };
  await until(systemClock, holds, readyTimeoutMs, `the start of ${title}`, POLL_MS);
}

function logTail(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.slice(-LOG_TAIL_LINES).join(' | ') || '(empty)';
}
