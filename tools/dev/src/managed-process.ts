import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { NiobeError } from '@niobe/kernel';
import { openLog } from './log-file.ts';

/** A process that was started and can be stopped. Brokers come as the same shape from `@niobe/testing`. */
export interface ManagedProcess {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason; with words about it where they are known. */
  readonly exited: Promise<string | void>;
  /** Asks it to end in its own orderly way and waits. */
  stop(): Promise<void>;
  /** Ends it at once and waits. */
  kill(): Promise<void>;
}

export interface ProcessCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Gets everything the process prints. */
  readonly logFile: string;
}

/** Starts a process; `UNAVAILABLE` if there is no such command. It is not awaited to be ready. */
export async function startProcess(start: ProcessCommand): Promise<ManagedProcess> {
  const child = spawnLogged(start);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  });
  await spawned(start, child);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return { pid: child.pid!, exited, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

function spawnLogged({ command, args, env, logFile }: ProcessCommand): ChildProcess {
  const log = openLog(logFile);
  try {
    // Its own process group: Ctrl-C on the terminal reaches only the launcher, which then stops all in order.
    return spawn(command, args, { env, stdio: ['ignore', log, log], detached: true });
  } finally {
    closeSync(log);
  }
}

function spawned({ name, command }: ProcessCommand, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', (error) =>
      reject(new NiobeError('UNAVAILABLE', `cannot start ${name} (${command}): ${error.message}`, {}, error)),
    );
  });
}
