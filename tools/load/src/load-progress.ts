import { every, type Clock, type Timer } from '@niobe/kernel';
import type { GraphLoad } from '@niobe/loader';
import { progressBar, progressText, type ProgressFacts } from '@niobe/tool-replay';

const TERMINAL_EVERY_MS = 200;
const PIPE_EVERY_MS = 2_000;

/** Shows how far the load of one file is: on a terminal a bar that is redrawn, else a line from time to time. */
export class LoadProgress {
  readonly #load: GraphLoad;
  readonly #clock: Clock;
  readonly #fileBytes: number;
  readonly #terminal = process.stderr.isTTY;
  readonly #startMs: number;
  readonly #timer: Timer;
  #fractionBefore: number | null = null;

  constructor(load: GraphLoad, clock: Clock, fileBytes: number) {
    this.#load = load;
    this.#clock = clock;
    this.#fileBytes = fileBytes;
    this.#startMs = clock.monotonicMs();
    this.#timer = every(clock, this.#terminal ? TERMINAL_EVERY_MS : PIPE_EVERY_MS, () => this.#show(this.#facts()));
  }

  stop(): void {
    this.#timer.cancel();
    if (this.#terminal) process.stderr.write('\r\u001B[K');
  }

  #show(facts: ProgressFacts): void {
    if (this.#terminal) process.stderr.write(`\r${progressBar(facts)}\u001B[K`);
    else process.stderr.write(`${progressText(facts)}\n`);
  }

  #facts(): ProgressFacts {
    const { lines, linesBefore, bytesRead, waiting } = this.#load;
    const fraction = this.#fileBytes === 0 ? 1 : bytesRead / this.#fileBytes;
    if (lines > linesBefore) this.#fractionBefore ??= linesBefore === 0 ? 0 : fraction;
    return {
      rowsDone: lines,
      rowsDoneNow: lines - linesBefore,
      elapsedMs: this.#clock.monotonicMs() - this.#startMs,
      fraction,
      fractionBefore: this.#fractionBefore ?? 0,
      trouble: waiting === null ? '' : waiting.reason,
    };
  }
}
