/** `npm start` of a clone, driven as a person would: its lines are read, its commands pasted, its processes killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { isNiobeError, NiobeError, systemClock, until } from '@niobe/kernel';
import { isAlive } from '../system/process-figures.ts';

/** The commands the screen tells its reader to paste. */
export interface PastedCommands {
  readonly post: string;
  readonly count: string;
  readonly top: string;
  /** Runs until it is ended. */
  readonly live: string;
  /** Who bought what also bought what. */
  readonly also: string;
}

/** One run of `npm start` without a terminal. */
export class LaunchedStart {
  readonly #child: ChildProcess;
  readonly #cloneDir: string;
  #output = '';

  constructor(cloneDir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#cloneDir = cloneDir;
    this.#child = spawn('npm', ['start', '--silent', '--', ...args], {
      cwd: cloneDir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const add = (chunk: Buffer): void => void (this.#output += chunk.toString());
    this.#child.stdout?.on('data', add);
    this.#child.stderr?.on('data', add);
  }

  get output(): string {
    return this.#output;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Waits for the line that says everything is ready; throws with the last lines when it ends before. */
  async ready(deadlineMs: number): Promise<void> {
    await this.says(/^ready in /m, deadlineMs);
  }

  async says(pattern: RegExp, deadlineMs: number): Promise<void> {
    const said = (): boolean => {
      if (pattern.test(this.#output)) return true;
      if (this.#child.exitCode !== null) throw new NiobeError('UNAVAILABLE', `npm start ended: ${this.#tail()}`);
      return false;
    };
    try {
      await until(systemClock, said, deadlineMs, `a line like ${pattern.source}`, 50);
    } catch (error) {
      if (!isNiobeError(error, 'DEADLINE')) throw error;
      throw new NiobeError('DEADLINE', `${error.message}; so far: ${this.#tail()}`, {}, error);
    }
  }

  #tail(): string {
    return this.#output.split('\n').slice(-12).join('\n');
  }

  /** The commands as printed. */
  commands(): PastedCommands {
    const below = (title: string): string => new RegExp(`^${title}:\\n\\s+(.+)$`, 'm').exec(this.#output)?.[1] ?? '';
    return {
      post: below('post an event'),
      count: below('see it counted'),
      top: below('ask a cube'),
      live: below('follow it live'),
      also: below('who .* also .*'),
    };
  }

  /** Process id of a service, or of the launcher itself. */
  pidOf(name: string): number {
    const wanted = name === 'launcher' ? 'tools/dev/src/main.ts' : `NIOBE_NAME=${name}\0`;
    const found = processesOf(this.#cloneDir).find(({ text }) => text.includes(wanted));
    if (found === undefined) throw new NiobeError('NOT_FOUND', `no process of ${name} is running`);
    return found.pid;
  }

  kill(name: string): void {
    process.kill(this.pidOf(name), 'SIGKILL');
  }

  /** Sends Ctrl-C to the launcher and waits for the end; milliseconds it took. */
  async interrupt(deadlineMs: number): Promise<number> {
    const startMs = systemClock.monotonicMs();
    process.kill(this.pidOf('launcher'), 'SIGINT');
    await this.ended(deadlineMs);
    return systemClock.monotonicMs() - startMs;
  }

  async ended(deadlineMs: number): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    const late = systemClock.after(deadlineMs, () => this.#child.kill('SIGKILL'));
    await exited;
    late.cancel();
  }
}

/** Live processes that run in `cloneDir` or were started from it, with command line and environment. */
export function processesOf(cloneDir: string): { pid: number; text: string }[] {
  const found: { pid: number; text: string }[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || !isAlive(pid)) continue;
    const text = read(`/proc/${pid}/cmdline`) + '\0' + read(`/proc/${pid}/environ`);
    if (text.includes(`${cloneDir}/`) || text.includes(`PWD=${cloneDir}\0`)) found.push({ pid, text });
  }
  return found;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
