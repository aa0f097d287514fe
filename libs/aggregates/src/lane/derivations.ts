import { every, type Clock, type Timer } from '@niobe/kernel';
import type { Derivation, DerivationKind } from './derivation.ts';
import type { ShareReport } from './lane.ts';
import type { LaneSurroundings } from './lane-surroundings.ts';
import { TopicLanes } from './topic-lanes.ts';

const TICK_MS = 1_000;
/** A wait that is shorter is no trouble: a refused attempt, then one that was taken. */
const TROUBLE_AFTER_MS = 1_000;

/** Consumes every topic that something is derived from, and keeps that in the grid. Holds nothing that a crash could lose. */
export class Derivations<D extends Derivation> {
  readonly #topics: readonly TopicLanes<D>[];
  readonly #clock: Clock;
  readonly #timer: Timer;

  /** Starts at once, in the background; what is away is waited for. */
  constructor(around: LaneSurroundings, kind: DerivationKind<D>, derivations: readonly D[]) {
    this.#clock = around.clock;
    const names = [...new Set(derivations.flatMap(({ topics }) => topics))];
    this.#topics = names.map((name) => {
      const { partitions } = around.catalogue.topic(name);
      const ofTopic = derivations.filter(({ topics }) => topics.includes(name));
      return new TopicLanes(around, kind, name, partitions, ofTopic);
    });
    for (const topic of this.#topics) topic.start();
    this.#timer = every(around.clock, TICK_MS, () => this.tick());
  }

  /** Does what is due; called by its own timer, or by a test that owns time. */
  async tick(): Promise<void> {
    await Promise.all(this.#topics.map((topic) => topic.tick()));
  }

  /** Every partition of every lane. */
  report(): ShareReport[] {
    return this.#topics.flatMap((topic) => topic.report());
  }

  /** Lanes of all topics. */
  get lanes(): number {
    return this.#topics.reduce((count, topic) => count + topic.lanes, 0);
  }

  /** Why it does not go on somewhere, or null. */
  get trouble(): string | null {
    for (const topic of this.#topics) if (topic.notReady !== null) return topic.notReady;
    for (const { topic, partition, waiting, leftBehind } of this.report()) {
      const isLong = waiting !== null && this.#clock.monotonicMs() - waiting.sinceMs >= TROUBLE_AFTER_MS;
      if (isLong) return `topic ${topic}, partition ${partition}: ${waiting.code}: ${waiting.reason}`;
      if (leftBehind > 0)
        return `topic ${topic}, partition ${partition}: ${leftBehind} damaged grid partitions are left behind`;
    }
    return null;
  }

  /** Stops at once; what is in flight is read again by the next start. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await Promise.all(this.#topics.map((topic) => topic.close()));
  }

  /** Brings all cursors to where the lanes are, then stops. */
  async drain(): Promise<void> {
    this.#timer.cancel();
    await Promise.all(this.#topics.map((topic) => topic.drain()));
  }
}
