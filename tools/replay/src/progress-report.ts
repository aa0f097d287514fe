import { every, type Clock, type Timer } from '@niobe/kernel';
import { progressBar, progressText, type ProgressFacts } from './progress-line.ts';
import type { Replay } from './replay.ts';
import type { ReplayState } from './replay-state.ts';

export interface ProgressReportOptions {
  readonly fileBytes: number;
  /** Rows done by earlier runs. */
  readonly rowsBefore: number;
  readonly state: ReplayState;
  readonly clock: Clock;
}

const TERMINAL_EVERY_MS = 200;
const PIPE_EVERY_MS = 5_000;
const STATE_EVERY_MS = 1_000;

/** Shows a replay's progress, on a terminal as a bar that is redrawn, and keeps its state file up to date. */
export class ProgressReport {
  readonly #options: ProgressReportOptions;
  readonly #terminal = process.stderr.isTTY;
  #startMs = 0;
  #fractionBefore: number | null = null;
  #timers: Timer[] = [];
  #written = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: ProgressReportOptions) {
    this.#options = options;
    this.#written = options.rowsBefore;
  }

  start(replay: Replay): void {
    const { clock } = this.#options;
    this.#startMs = clock.monotonicMs();
    this.#timers = [
      every(clock, this.#terminal ? TERMINAL_EVERY_MS : PIPE_EVERY_MS, () => this.#show(replay)),
      every(clock, STATE_EVERY_MS, () => this.#keep(replay)),
    ];
  }

  /** Told of every batch: where this run began in the file is known with the first one. */
  progress(replay: Replay): void {
    const begin = this.#options.rowsBefore === 0 ? 0 : replay.fileBytesDone / this.#options.fileBytes;
    this.#fractionBefore ??= begin;
  }

  /** Shows and keeps the last state. */
  async stop(replay: Replay): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#show(replay);
    if (this.#terminal) process.stderr.write('\n');
    await this.#keep(replay);
  }

  /** Writes one after the other, so that an older number never replaces a newer one. */
  #keep(replay: Replay): Promise<void> {
    this.#keeping = this.#keeping.then(async () => {
      if (replay.rowsDone === this.#written) return;
      this.#written = replay.rowsDone;
      await this.#options.state.write(replay.rowsDone);
    });
    return this.#keeping;
  }

  #show(replay: Replay): void {
    const facts = this.#facts(replay);
    if (this.#terminal) process.stderr.write(`\r${progressBar(facts)}\u001B[K`);
    else process.stderr.write(`${progressText(facts)}\n`);
  }

  #facts(replay: Replay): ProgressFacts {
    const { fileBytes, rowsBefore, clock } = this.#options;
    return {
      rowsDone: replay.rowsDone,
      rowsDoneNow: replay.rowsDone - rowsBefore,
      elapsedMs: clock.monotonicMs() - this.#startMs,
      fraction: fileBytes === 0 ? 1 : replay.fileBytesDone / fileBytes,
      fractionBefore: this.#fractionBefore ?? 0,
      trouble: replay.trouble,
    };
  }
}
