import { delay, isNiobeError, type Logger } from '@niobe/kernel';
import { SeenStore } from '../seen/seen-store.ts';
import type { Derivation, DerivationKind } from './derivation.ts';
import { Lane, type ShareReport } from './lane.ts';
import type { LaneShare } from './lane-share.ts';
import type { LaneSurroundings } from './lane-surroundings.ts';
import { ATTEMPT_DEADLINE_MS } from './persistent-send.ts';

/**
 * The lanes of one topic. Derivations whose cursors are all equal share a lane; one that is new, or begun anew, has a lane of its own and
 * catches up while the others go on.
 *
 * When one lane has come near another they are joined: both stop at the same offset of each Kafka partition, bring all cursors there
 * and close, and the next plan finds their cursors equal. The same happens the other way round: where another process moved the
 * cursors of a lane apart, the lanes are closed and planned anew from what the grid partitions say.
 */

/** Lanes that are so near in every Kafka partition are joined. */
const JOIN_OFFSETS = 10_000;
/** A joining that takes longer is given up for now. */
const JOIN_MS = 30_000;
const PLAN_PAUSE_MS = 500;

/** Two lanes that are being joined, and the offset of each Kafka partition where they stop. */
interface Joining<D extends Derivation> {
  readonly lanes: readonly [Lane<D>, Lane<D>];
  readonly stops: readonly number[];
  readonly sinceMs: number;
}

export class TopicLanes<D extends Derivation> {
  readonly #around: LaneSurroundings;
  readonly #kind: DerivationKind<D>;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #derivations: readonly D[];
  readonly #logger: Logger;
  #lanes: Lane<D>[] = [];
  #joining: Joining<D> | null = null;
  #planning: Promise<void> | null = null;
  #notPlanned = 'reading cursors';
  #closed = false;

  /** @param partitions Kafka partitions of the topic. */
  constructor(
    around: LaneSurroundings,
    kind: DerivationKind<D>,
    topic: string,
    partitions: number,
    derivations: readonly D[],
  ) {
    this.#around = around;
    this.#kind = kind;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#derivations = derivations;
    this.#logger = around.logger.child({ topic });
  }

  /** Plans the lanes and starts them in the background. */
  start(): void {
    this.#replan('start');
  }

  #replan(reason: string): void {
    if (this.#closed || this.#planning !== null) return;
    this.#planning = this.#plan(reason).finally(() => {
      this.#planning = null;
    });
  }

  async #plan(reason: string): Promise<void> {
    this.#joining = null;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    this.#lanes = [];
    const groups = await this.#groups();
    if (this.#closed) return;
    const stores = new Map<number, SeenStore>();
    const seenOf = (partition: number): SeenStore => {
      const store = stores.get(partition) ?? this.#newStore(partition);
      stores.set(partition, store);
      return store;
    };
    this.#lanes = groups.map(
      (derivations) => new Lane(this.#around, this.#kind, this.#topic, derivations, seenOf, (why) => this.#replan(why)),
    );
    for (const lane of this.#lanes) lane.start();
    const lanes = groups.map((derivations) => derivations.map(({ name }) => name).join('+')).join(' | ');
    this.#logger.info({ lanes, reason }, 'lanes planned');
  }

  #newStore(partition: number): SeenStore {
    const { grid, seenSchema, seenPrefix, writer } = this.#around;
    return new SeenStore(grid, seenSchema, seenPrefix + this.#topic, partition, writer);
  }

  /** Derivations with equal cursors; waits for the grid as long as it is away. */
  async #groups(): Promise<D[][]> {
    for (;;) {
      if (this.#closed) return [];
      try {
        return await this.#readGroups();
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        this.#notPlanned = `reading cursors: ${error.message}`;
      }
      await delay(this.#around.clock, PLAN_PAUSE_MS);
    }
  }

  async #readGroups(): Promise<D[][]> {
    const sources = this.#derivations.map((derivation) =>
      Array.from({ length: this.#partitions }, (_, partition) =>
        this.#kind.sources(derivation, this.#topic, partition),
      ).flat(),
    );
    const rows = await this.#around.grid.cursors(sources.flat(), ATTEMPT_DEADLINE_MS);
    const groups = new Map<string, D[]>();
    this.#derivations.forEach((derivation, index) => {
      const { length } = sources[index]!;
      const cursors = rows.map((row) => row.slice(index * length, (index + 1) * length).map(({ offset }) => offset));
      const name = JSON.stringify(cursors);
      groups.set(name, [...(groups.get(name) ?? []), derivation]);
    });
    return [...groups.values()];
  }

  /** Called about every second. */
  async tick(): Promise<void> {
    if (this.#planning !== null) return;
    for (let partition = 0; partition < this.#partitions; partition++) this.#setFloor(partition);
    await Promise.all(this.#lanes.map((lane) => lane.tick()));
    if (this.#joining === null) this.#beginJoining();
    else await this.#goOnJoining(this.#joining);
  }

  /** One lane deletes deduplication cells for all: what lies below the lowest cursor of every lane, less the window. */
  #setFloor(partition: number): void {
    const shares = this.#lanes.map((lane) => lane.shareOf(partition));
    const known = shares.filter((share) => share !== null);
    const complete = known.length === shares.length;
    known.forEach((share, index) => {
      share.floor = complete && index === 0 ? lowestOf(known) : null;
    });
  }

  #beginJoining(): void {
    for (const [index, first] of this.#lanes.entries()) {
      for (const second of this.#lanes.slice(index + 1)) {
        const stops = this.#stopsOf(first, second);
        if (stops === null) continue;
        stops.forEach((offset, partition) => [first, second].forEach((lane) => lane.limit(partition, offset)));
        this.#joining = { lanes: [first, second], stops, sinceMs: this.#around.clock.monotonicMs() };
        return;
      }
    }
  }

  /** Where two lanes can stop together, by Kafka partition; null where they are not near each other or not all here. */
  #stopsOf(first: Lane<D>, second: Lane<D>): number[] | null {
    const stops: number[] = [];
    for (let partition = 0; partition < this.#partitions; partition++) {
      const a = first.shareOf(partition);
      const b = second.shareOf(partition);
      if (a === null || b === null || a.waiting !== null || b.waiting !== null) return null;
      if (a.leftBehind > 0 || b.leftBehind > 0) return null;
      if (Math.abs(a.reserved - b.reserved) > JOIN_OFFSETS) return null;
      stops.push(Math.max(a.reserved, b.reserved));
    }
    return stops;
  }

  async #goOnJoining(joining: Joining<D>): Promise<void> {
    const { lanes, stops, sinceMs } = joining;
    const there = stops.every((offset, partition) =>
      lanes.every((lane) => lane.shareOf(partition)?.position === offset),
    );
    if (there) {
      await Promise.all(lanes.map((lane) => lane.drain()));
      return this.#replan('lanes joined');
    }
    if (this.#around.clock.monotonicMs() - sinceMs < JOIN_MS) return;
    stops.forEach((_, partition) => lanes.forEach((lane) => lane.limit(partition, Number.POSITIVE_INFINITY)));
    this.#joining = null;
  }

  /** Lanes now; more than one while a derivation catches up. */
  get lanes(): number {
    return this.#lanes.length;
  }

  /** Why nothing is consumed yet, or null. */
  get notReady(): string | null {
    return this.#planning === null ? null : `topic ${this.#topic}: ${this.#notPlanned}`;
  }

  report(): ShareReport[] {
    return this.#lanes.flatMap((lane) => lane.report());
  }

  /** Stops at once; what is in flight is read again by the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  /** Brings all cursors to where the lanes are, then stops. */
  async drain(): Promise<void> {
    this.#closed = true;
    await this.#planning;
    await Promise.all(this.#lanes.map((lane) => lane.drain()));
  }
}

function lowestOf(shares: readonly LaneShare[]): { offset: number; second: number } {
  return {
    offset: Math.min(...shares.map(({ lowestCursor }) => lowestCursor)),
    second: Math.min(...shares.map(({ second }) => second)),
  };
}
