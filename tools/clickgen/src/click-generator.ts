import { isNiobeError, type Clock, type Timer } from '@niobe/kernel';
import { ClickSequence, type Click, type ClickType } from './click-sequence.ts';
import type { Rejection } from './collector-client.ts';

/**
 * Sends the clicks of a {@link ClickSequence} at a steady rate and keeps exact account of what was acknowledged.
 *
 * Every tick the generator owes `ratePerSecond * elapsed` events and sends them in batches, as long as the window of batches in
 * flight has room. While the collector refuses, batches wait in that window and nothing new is made; afterwards the generator
 * goes on at its rate and does not make up for more than a second.
 */

/** Where batches go; resolves with what was refused for good once all else is acknowledged. See `CollectorClient`. */
export interface EventTarget {
  post(events: readonly ClickEvent[]): Promise<readonly Rejection[]>;
}

/** One event as the collector takes it. */
export interface ClickEvent {
  readonly id: string;
  readonly source: string;
  readonly type: ClickType;
  readonly time: string;
  readonly data: Click['data'];
}

export interface ClickGeneratorOptions {
  readonly seed: number;
  /** Events a second; `Infinity` sends as fast as the window allows. */
  readonly ratePerSecond: number;
  readonly target: EventTarget;
  readonly clock: Clock;
  /** Distinguishes the ids of this run from those of others with the same seed. Default: the seed, for repeatable ids. */
  readonly run?: string;
  /** Ends after so many events. Default: goes on until stopped. */
  readonly count?: number;
}

/** What the collector acknowledged, so that counts in cubes can be compared exactly. */
export interface Acknowledged {
  events: number;
  readonly byType: Map<ClickType, number>;
  /** Key: `<type>/<product>`. */
  readonly byTypeAndProduct: Map<string, number>;
  /** Sum over purchases of quantity times price, in hundredths. */
  revenueCents: bigint;
}

const TICK_MS = 50;
const BATCH_EVENTS_MAX = 500;
const WINDOW_BATCHES = 4;
const DEBT_SECONDS_MAX = 1;

export class ClickGenerator {
  readonly #options: ClickGeneratorOptions;
  readonly #sequence: ClickSequence;
  readonly #source: string;
  readonly #acknowledged: Acknowledged = {
    events: 0,
    byType: new Map(),
    byTypeAndProduct: new Map(),
    revenueCents: 0n,
  };
  readonly #inFlight = new Set<Promise<void>>();
  #generated = 0;
  #rejected = 0;
  #firstRejection: Rejection | null = null;
  #failure: unknown = null;
  #owed = 0;
  #lastTickMs = 0;
  #timer: Timer | null = null;
  #finish: (() => void) | null = null;

  constructor(options: ClickGeneratorOptions) {
    this.#options = options;
    this.#sequence = new ClickSequence(options.seed);
    this.#source = `clickgen/${options.run ?? options.seed}`;
  }

  /** Events made so far; those not yet acknowledged or rejected are on their way. */
  get generated(): number {
    return this.#generated;
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** The first event that was refused for good, to explain {@link rejected}. */
  get firstRejection(): Rejection | null {
    return this.#firstRejection;
  }

  get acknowledged(): Readonly<Acknowledged> {
    return this.#acknowledged;
  }

  /** Sends until `count` is reached or {@link stop} is called; resolves when everything sent has been answered. */
  async run(): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.#finish = resolve));
    this.#lastTickMs = this.#options.clock.monotonicMs();
    this.#tick();
    await finished;
    await Promise.all(this.#inFlight);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Makes no more events; {@link run} then resolves when those on their way are answered. */
  stop(): void {
    this.#timer?.cancel();
    this.#finish?.();
    this.#finish = null;
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { ratePerSecond } = this.#options;
    const elapsedMs = nowMs - this.#lastTickMs;
    const earned = elapsedMs === 0 ? 0 : (ratePerSecond * elapsedMs) / 1000;
    this.#owed = Math.min(this.#owed + earned, Math.max(1, ratePerSecond * DEBT_SECONDS_MAX));
    this.#lastTickMs = nowMs;
    this.#sendOwed();
    if (this.#done()) this.stop();
    else if (this.#finish !== null) this.#timer = this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  #done(): boolean {
    return this.#generated >= (this.#options.count ?? Number.POSITIVE_INFINITY);
  }

  #sendOwed(): void {
    while (this.#owed >= 1 && this.#inFlight.size < WINDOW_BATCHES && this.#finish !== null && !this.#done()) {
      const left = (this.#options.count ?? Number.POSITIVE_INFINITY) - this.#generated;
      const events = this.#make(Math.min(BATCH_EVENTS_MAX, Math.floor(this.#owed), left));
      this.#owed -= events.length;
      const sending = this.#send(events).finally(() => {
        this.#inFlight.delete(sending);
        this.#sendOwed();
      });
      this.#inFlight.add(sending);
    }
  }

  #make(count: number): ClickEvent[] {
    const time = new Date(this.#options.clock.nowMs()).toISOString();
    return Array.from({ length: count }, () => {
      const click = this.#sequence.next();
      return { id: String(this.#generated++), source: this.#source, type: click.type, time, data: click.data };
    });
  }

  async #send(events: readonly ClickEvent[]): Promise<void> {
    try {
      const rejections = await this.#options.target.post(events);
      this.#account(events, rejections);
    } catch (error) {
      if (!isNiobeError(error, 'CLOSED')) this.#failure ??= error;
      this.stop();
    }
  }

  #account(events: readonly ClickEvent[], rejections: readonly Rejection[]): void {
    const refused = new Set(rejections.map((rejection) => rejection.index));
    this.#rejected += refused.size;
    this.#firstRejection ??= rejections[0] ?? null;
    events.forEach((event, index) => {
      if (!refused.has(index)) countEvent(this.#acknowledged, event);
    });
  }
}

function countEvent(acknowledged: Acknowledged, event: ClickEvent): void {
  const { type, data } = event;
  acknowledged.events += 1;
  increment(acknowledged.byType, type);
  increment(acknowledged.byTypeAndProduct, `${type}/${data.product}`);
  if (type === 'purchase') acknowledged.revenueCents += BigInt(data.quantity!) * BigInt(data.price!.replace('.', ''));
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
