import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, NiobeError, until, type Clock } from '@niobe/kernel';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/**
 * `run.json`: who launched the system that uses this data folder, and what it started.
 *
 * It keeps two launchers from one folder, and lets a start find what a launcher left behind that was itself killed. Only processes
 * named in the file are ever ended, and only if start time and command line prove that the number still means them.
 */
export class RunFile {
  readonly #path: string;
  readonly #launcher: ProcessIdentity;
  readonly #children = new Map<string, ProcessIdentity>();

  private constructor(path: string, launcher: ProcessIdentity) {
    this.#path = path;
    this.#launcher = launcher;
  }

  /**
   * Takes the folder for this process. Ends what a dead launcher left there and tells `onLeftover` of each.
   * `UNAVAILABLE` if another launcher is alive, or if the folder cannot be written.
   */
  static async take(folder: string, clock: Clock, onLeftover: (name: string) => void): Promise<RunFile> {
    const path = join(folder, 'run.json');
    const found = readRun(path);
    if (found !== null) {
      if (isRunning(found.launcher)) throw alreadyRunning(found.launcher.pid);
      for (const child of found.children) await endLeftover(child, clock, onLeftover);
    }
    const launcher = identify('launcher', process.pid);
    if (launcher === null) throw new NiobeError('UNAVAILABLE', 'this system says nothing about running processes');
    const file = new RunFile(path, launcher);
    writable(folder, () => {
      mkdirSync(folder, { recursive: true });
      file.#write();
    });
    return file;
  }

  /** Remembers a child that was just started. */
  started(name: string, pid: number): void {
    const identity = identify(name, pid);
    if (identity === null) return;
    this.#children.set(name, identity);
    this.#write();
  }

  /** Forgets a child that has ended. */
  ended(name: string): void {
    if (this.#children.delete(name)) this.#write();
  }

  /** Gives the folder back. */
  release(): void {
    rmSync(this.#path, { force: true });
  }

  #write(): void {
    const temporary = `${this.#path}.new`;
    const run: Run = { launcher: this.#launcher, children: [...this.#children.values()] };
    writeFileSync(temporary, `${JSON.stringify(run, null, 2)}\n`);
    renameSync(temporary, this.#path);
  }
}

interface Run {
  readonly launcher: ProcessIdentity;
  readonly children: readonly ProcessIdentity[];
}

const END_TIMEOUT_MS = 5_000;

function readRun(path: string): Run | null {
  try {
    const run = JSON.parse(readFileSync(path, 'utf8')) as Partial<Run>;
    if (!isIdentity(run.launcher)) return null;
    return { launcher: run.launcher, children: (run.children ?? []).filter(isIdentity) };
  } catch {
    return null;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { name, pid, started, command } = (value ?? {}) as Partial<ProcessIdentity>;
  return typeof name === 'string' && typeof started === 'string' && typeof command === 'string' && isPid(pid);
}

/** A number that can be signalled: 0 and negative ones would reach whole groups, 1 the system. */
function isPid(pid: unknown): pid is number {
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1;
}

async function endLeftover(child: ProcessIdentity, clock: Clock, onLeftover: (name: string) => void): Promise<void> {
  if (!isRunning(child)) return;
  onLeftover(child.name);
  try {
    process.kill(child.pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
  await until(clock, () => !isRunning(child), END_TIMEOUT_MS, `the end of ${child.name} (pid ${child.pid})`);
}

function alreadyRunning(pid: number): NiobeError {
  return new NiobeError(
    'UNAVAILABLE',
    `Niobe is running here already (launcher pid ${pid}): stop it with Ctrl-C or kill ${pid}`,
  );
}

function writable(folder: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new NiobeError('UNAVAILABLE', `cannot write to ${folder}: ${messageOf(error)}`, {}, error);
  }
}
