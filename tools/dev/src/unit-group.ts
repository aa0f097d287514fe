import { delay, NiobeError, type Clock } from '@niobe/kernel';
import type { ObservedService } from './observer.ts';
import { unreadiness } from './observer.ts';
import { residentBytes } from './process-identity.ts';
import type { RunFile } from './run-file.ts';
import { SupervisedUnit, type UnitEvents, type UnitSpec } from './supervised-unit.ts';
import type { View } from './view.ts';

/**
 * The processes of one local system: started one after the other or together, each followed until it is ready, and stopped in the
 * reverse order of their start.
 */
export class UnitGroup {
  readonly #view: View;
  readonly #clock: Clock;
  readonly #events: UnitEvents;
  readonly #members: Member[] = [];
  #stopped: Promise<void> | null = null;

  constructor(view: View, runFile: RunFile, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
    this.#events = {
      started: (name, pid) => runFile.started(name, pid),
      ended: (name) => runFile.ended(name),
      died: (name, death) => view.death(name, death),
    };
  }

  /**
   * Starts a process and waits until it is ready; `url` is what is shown of it.
   * @param http whether it has probes at that URL; otherwise it is ready when started.
   */
  async start(spec: UnitSpec, url: string, http: boolean): Promise<void> {
    this.#refuseWhenStopping();
    const unit = new SupervisedUnit(spec, this.#events, this.#clock);
    this.#members.push({ unit, url, http });
    const startMs = this.#clock.monotonicMs();
    await unit.start();
    if (http) await this.#untilReady(unit, url);
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    this.#view.step(`  ${spec.name} ready after ${seconds.toFixed(1)} s: ${url}`);
  }

  /** What an observer looks at, in order of start. */
  observed(): ObservedService[] {
    return this.#members.map(({ unit, url, http }) => ({
      name: unit.name,
      url,
      http,
      trouble: () => (unit.state === 'running' ? '' : unit.state),
      memoryBytes: () => (unit.pid === null ? null : residentBytes(unit.pid)),
    }));
  }

  /** Stops what was started last first, all within `limitMs`; afterwards nothing can be started. Asked twice, it stops once. */
  stop(limitMs: number): Promise<void> {
    this.#stopped ??= this.#stopAll(limitMs);
    return this.#stopped;
  }

  async #stopAll(limitMs: number): Promise<void> {
    const endMs = this.#clock.monotonicMs() + limitMs;
    for (const { unit } of this.#members.toReversed()) {
      const leftMs = Math.max(FORCE_MS, endMs - this.#clock.monotonicMs());
      await unit.stop(Math.min(leftMs, UNIT_STOP_MS));
      this.#view.step(`  ${unit.name} stopped`);
    }
  }

  async #untilReady(unit: SupervisedUnit, url: string): Promise<void> {
    const endMs = this.#clock.monotonicMs() + READY_TIMEOUT_MS;
    for (;;) {
      this.#refuseWhenStopping();
      if (unit.state === 'failed' || unit.deaths >= START_DEATHS_MAX) {
        throw cannotStart(unit, `${unit.lastDeath?.how}, ${unit.deaths} times`);
      }
      const reason = unit.state === 'running' ? await unreadiness(url) : unit.state;
      if (reason === '') return;
      if (this.#clock.monotonicMs() >= endMs) throw cannotStart(unit, `not ready: ${reason}`);
      await delay(this.#clock, POLL_MS);
    }
  }

  #refuseWhenStopping(): void {
    if (this.#stopped !== null) throw new NiobeError('CLOSED', 'stopped while starting');
  }
}

interface Member {
  readonly unit: SupervisedUnit;
  readonly url: string;
  readonly http: boolean;
}

const POLL_MS = 100;
/** Recovery of a large store takes its time. */
const READY_TIMEOUT_MS = 180_000;
/** A process that dies so often before it was ever ready is given up, and the start with it. */
const START_DEATHS_MAX = 4;
/** Services drain within 8 s; Kafka closes its log within a few. */
const UNIT_STOP_MS = 9_000;
/** What the last ones get when the others took all the time. */
const FORCE_MS = 200;

function cannotStart(unit: SupervisedUnit, why: string): NiobeError {
  return new NiobeError('UNAVAILABLE', `${unit.name} did not start (${why}); its log is ${unit.logFile}`);
}
