import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { NiobeError, systemClock, until } from '@niobe/kernel';
import { SERVICE_PROCESS_FLAGS } from '@niobe/service';
import { processFigures } from './process-figures.ts';

/** How a service of the system under check is started. */
export interface ServiceLaunch {
  /** Its fixed name, such as `shard-0`. */
  readonly name: string;
  /** Folder under `apps/`. */
  readonly app: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly repositoryDir: string;
  readonly logFile: string;
  readonly arguments?: readonly string[];
}

const READY_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 30_000;
const LAST_LINES = 15;

/** One service as a process of its own: started, killed and started again under the same name, port and log file. */
export class ServiceProcess {
  readonly launch: ServiceLaunch;
  #child: ChildProcess | null = null;
  #cpuSecondsBefore = 0;
  #starts = 0;

  constructor(launch: ServiceLaunch) {
    this.launch = launch;
  }

  get name(): string {
    return this.launch.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.launch.port}`;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Its process id, or 0 while it does not run. */
  get pid(): number {
    return this.running ? (this.#child?.pid ?? 0) : 0;
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Exit code of the last run, null while it runs or when a signal ended it. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  /** CPU seconds over all its runs. */
  get cpuSeconds(): number {
    return this.#cpuSecondsBefore + (this.running ? processFigures(this.pid).cpuSeconds : 0);
  }

  get residentBytes(): number {
    return processFigures(this.pid).residentBytes;
  }

  start(): void {
    if (this.running) return;
    const { app, env, repositoryDir, logFile } = this.launch;
    const log = openSync(logFile, 'a');
    const main = `${repositoryDir}/apps/${app}/src/main.ts`;
    const flags = [...SERVICE_PROCESS_FLAGS, '--conditions=@niobe/source', main];
    this.#child = spawn(process.execPath, [...flags, ...(this.launch.arguments ?? [])], {
      cwd: repositoryDir,
      env: { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#starts += 1;
  }

  /** Ends it at once (kill -9) and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it by SIGTERM and waits; after the deadline by kill -9. */
  async stop(): Promise<void> {
    const last = systemClock.after(STOP_DEADLINE_MS, () => this.#child?.kill('SIGKILL'), true);
    await this.#end('SIGTERM');
    last.cancel();
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.running || this.#child === null) return;
    const child = this.#child;
    const exited = once(child, 'exit');
    const { cpuSeconds } = processFigures(child.pid ?? 0);
    child.kill(signal);
    await exited;
    this.#cpuSecondsBefore += cpuSeconds;
  }

  /** Waits until `/readyz` answers 200; `DEADLINE` with the last lines of its log. */
  async ready(deadlineMs: number = READY_DEADLINE_MS): Promise<void> {
    const isReady = async (): Promise<boolean> => {
      if (!this.running)
        throw new NiobeError('UNAVAILABLE', `${this.name} ended with ${this.exitCode}:\n${this.lastLines()}`);
      return (await this.readiness()) === 200;
    };
    try {
      await until(systemClock, isReady, deadlineMs, `readiness of ${this.name}`, 50);
    } catch (error) {
      if (error instanceof NiobeError && error.code === 'UNAVAILABLE') throw error;
      throw new NiobeError(
        'DEADLINE',
        `${this.name} is not ready after ${deadlineMs} ms:\n${this.lastLines()}`,
        {},
        error,
      );
    }
  }

  /** Status of `/readyz`, 0 when nobody answers. */
  async readiness(): Promise<number> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  /** The end of its log. */
  lastLines(): string {
    return readFileSync(this.launch.logFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  }
}
