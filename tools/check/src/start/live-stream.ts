import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A command that prints Server-Sent Events until it is ended, and the different pages it has printed. */
export class LiveStream {
  readonly pages: Set<string> = new Set<string>();
  readonly #child: ChildProcess;
  #rest = '';

  constructor(command: string) {
    // exec: the signal is for the command itself, not for a shell around it.
    this.#child = spawn('bash', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  #read(text: string): void {
    const events = (this.#rest + text).split('\n\n');
    this.#rest = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) this.pages.add(event.slice('data: '.length));
  }
}
