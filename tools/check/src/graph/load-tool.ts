/** `npm run load` as a process of its own: what a user starts to load a file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NiobeError, systemClock } from '@niobe/kernel';
import type { LocalSystem } from '../system/local-system.ts';

/** What to load, as the command line says it. */
export interface LoadWish {
  readonly repositoryDir: string;
  readonly system: LocalSystem;
  readonly deploymentDir: string;
  readonly file: string;
  readonly format: 'snap' | 'csv' | 'graphalytics';
  readonly edge: string;
}

/** How a run of the tool ended. */
export interface LoadEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** Everything it said. */
  readonly output: string;
}

export class LoadTool {
  readonly ended: Promise<LoadEnd>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(wish: LoadWish) {
    const startMs = systemClock.monotonicMs();
    const main = join(wish.repositoryDir, 'tools/load/src/main.ts');
    this.#child = spawn(process.execPath, ['--conditions=@niobe/source', main, ...argumentsOf(wish)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.ended = once(this.#child, 'close').then(([exitCode]) => ({
      exitCode: exitCode as number | null,
      seconds: (systemClock.monotonicMs() - startMs) / 1_000,
      output: this.#output,
    }));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it at once (kill -9). */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Loads a file to its end; seconds from the start of the process. `UNAVAILABLE` with what it said where it failed. */
export async function loadWhole(wish: LoadWish): Promise<number> {
  const { exitCode, seconds, output } = await new LoadTool(wish).ended;
  if (exitCode === 0) return seconds;
  throw new NiobeError('UNAVAILABLE', `the load of ${wish.file} ended with ${exitCode}: ${output.slice(-500)}`);
}

function argumentsOf({ system, deploymentDir, file, format, edge }: LoadWish): readonly string[] {
  const to = ['--deployment', deploymentDir, '--nats', `nats://${system.nats.address}`];
  return ['graph', file, '--format', format, '--edge', edge, ...to];
}
