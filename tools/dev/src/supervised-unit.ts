import { messageOf, withDeadline, type Clock, type Timer } from '@niobe/kernel';
import { EXIT } from '@niobe/service';
import { logBytes, logTail } from './log-file.ts';
import type { ManagedProcess } from './managed-process.ts';

/**
 * One process that is kept running: started, watched, started again after a pause when it dies, and stopped when asked.
 *
 * The pause doubles with each death in a row and begins anew once the process ran for a while. A process that ends saying that its
 * configuration is not usable is not started again: nothing would change.
 */

export type UnitState = 'waiting' | 'starting' | 'running' | 'restarting' | 'failed' | 'stopping' | 'stopped';

export interface UnitSpec {
  readonly name: string;
  /** Where its last words are found. */
  readonly logFile: string;
  /** Starts the process anew. */
  start(): Promise<ManagedProcess>;
}

/** What happens to units, for the launcher's records and the screen. */
export interface UnitEvents {
  started(name: string, pid: number): void;
  ended(name: string): void;
  /** It ended unasked. `restartMs` is null where it is not started again. */
  died(name: string, death: Death): void;
}

export interface Death {
  /** Such as `killed by SIGKILL`. */
  readonly how: string;
  readonly lastLines: readonly string[];
  readonly restartMs: number | null;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** A process that ran this long has recovered from whatever ended it before. */
const STEADY_MS = 30_000;
const TAIL_LINES = 5;

/** Pause before the restart after so many deaths in a row, from 1. */
export function restartPauseMs(deaths: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(deaths - 1, 30));
}

export class SupervisedUnit {
  readonly #spec: UnitSpec;
  readonly #events: UnitEvents;
  readonly #clock: Clock;
  #state: UnitState = 'waiting';
  #process: ManagedProcess | null = null;
  #launching: Promise<void> | null = null;
  #restart: Timer | null = null;
  #startedMs = 0;
  /** Length of the log before the process wrote to it. */
  #logBefore = 0;
  #deaths = 0;
  #lastDeath: Death | null = null;

  constructor(spec: UnitSpec, events: UnitEvents, clock: Clock) {
    this.#spec = spec;
    this.#events = events;
    this.#clock = clock;
  }

  get name(): string {
    return this.#spec.name;
  }

  get state(): UnitState {
    return this.#state;
  }

  get logFile(): string {
    return this.#spec.logFile;
  }

  /** Of the running process; null between two. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Deaths in a row. */
  get deaths(): number {
    return this.#deaths;
  }

  get lastDeath(): Death | null {
    return this.#lastDeath;
  }

  /** Starts the process for the first time; fails where that fails. From then on it is kept running. */
  async start(): Promise<void> {
    await this.#launch();
  }

  /** Stops for good; after `limitMs` by force. Harmless when stopped. */
  async stop(limitMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#restart?.cancel();
    await this.#endLaunch(limitMs);
    const process = this.#process;
    if (process !== null) {
      await withDeadline(this.#clock, process.stop(), limitMs, `stopping ${this.name}`).catch(() => process.kill());
    }
    this.#state = 'stopped';
  }

  /** Waits for a start that is under way. One that takes too long is a broker's: brokers end with the launcher. */
  async #endLaunch(limitMs: number): Promise<void> {
    if (this.#launching === null) return;
    await withDeadline(this.#clock, this.#launching, limitMs, `starting ${this.name}`).catch(() => undefined);
  }

  #stopping(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  #launch(): Promise<void> {
    this.#state = 'starting';
    const launching = this.#tryLaunch().finally(() => {
      if (this.#launching === launching) this.#launching = null;
    });
    this.#launching = launching;
    return launching;
  }

  async #tryLaunch(): Promise<void> {
    this.#logBefore = logBytes(this.logFile);
    const process = await this.#spec.start();
    this.#process = process;
    this.#startedMs = this.#clock.monotonicMs();
    if (!this.#stopping()) this.#state = 'running';
    this.#events.started(this.name, process.pid);
    void process.exited.then((how) => this.#onExit(how ?? 'ended'));
  }

  #onExit(how: string): void {
    this.#process = null;
    this.#events.ended(this.name);
    if (!this.#stopping()) this.#onDeath(how);
  }

  #onDeath(how: string): void {
    if (this.#clock.monotonicMs() - this.#startedMs >= STEADY_MS) this.#deaths = 0;
    this.#deaths += 1;
    const hopeless = how === `exit code ${EXIT.configuration}`;
    const restartMs = hopeless ? null : restartPauseMs(this.#deaths);
    this.#state = hopeless ? 'failed' : 'restarting';
    this.#lastDeath = { how, lastLines: logTail(this.logFile, TAIL_LINES, this.#logBefore), restartMs };
    this.#events.died(this.name, this.#lastDeath);
    if (restartMs !== null) this.#restart = this.#clock.after(restartMs, () => this.#relaunch());
  }

  #relaunch(): void {
    this.#launch().catch((error: unknown) => {
      if (!this.#stopping()) this.#onDeath(messageOf(error));
    });
  }
}
