/** Posts events to a collector in batches, as a careful producer does: what is not acknowledged is sent again, with the same ids. */
import { assert, delay, systemClock } from '@niobe/kernel';

export interface BatchSenderOptions {
  /** Base URL of the collector. */
  readonly url: string;
  /** Events a batch, at most 1,000. */
  readonly batchEvents?: number;
  /** Batches under way at once. */
  readonly inFlight?: number;
  /** Events a second, unlimited where absent. */
  readonly ratePerSecond?: number;
  /** Told about each batch that was acknowledged. */
  readonly onAcknowledged?: (ids: readonly string[]) => void;
}

/** One event: its id and its JSON text. */
export interface EventLine {
  readonly id: string;
  readonly json: string;
}

const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_PAUSE_MS = 100;
/** A sender gives up when one batch is refused for so long. */
const GIVE_UP_MS = 240_000;

export class BatchSender {
  readonly #options: Required<Omit<BatchSenderOptions, 'onAcknowledged'>> & Pick<BatchSenderOptions, 'onAcknowledged'>;
  readonly #underWay = new Set<Promise<void>>();
  readonly #statuses = new Map<number, number>();
  #waiting: EventLine[] = [];
  #failure: unknown = null;
  #sent = 0;
  #startMs = 0;
  acknowledged = 0;

  constructor(options: BatchSenderOptions) {
    this.#options = { batchEvents: 1_000, inFlight: 4, ratePerSecond: Infinity, ...options };
  }

  /** Answers by status; 0 counts requests that got none. */
  get statuses(): ReadonlyMap<number, number> {
    return this.#statuses;
  }

  /** Takes one event; waits while the window is full or the rate is reached. */
  async add(line: EventLine): Promise<void> {
    this.#waiting.push(line);
    if (this.#waiting.length >= this.#options.batchEvents) await this.flush();
  }

  /** Sends what waits, without waiting for the answer unless the window is full. */
  async flush(): Promise<void> {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    await this.#pace(lines.length);
    while (this.#underWay.size >= this.#options.inFlight) await Promise.race(this.#underWay);
    if (this.#failure !== null) throw this.#failure;
    const post: Promise<void> = this.#deliver(lines).then(
      () => void this.#underWay.delete(post),
      (error: unknown) => {
        this.#failure = error;
        this.#underWay.delete(post);
      },
    );
    this.#underWay.add(post);
  }

  /** Sends what waits and waits for every answer. */
  async close(): Promise<void> {
    await this.flush();
    while (this.#underWay.size > 0) await Promise.race(this.#underWay);
    if (this.#failure !== null) throw this.#failure;
  }

  async #pace(events: number): Promise<void> {
    const nowMs = systemClock.monotonicMs();
    if (this.#sent === 0) this.#startMs = nowMs;
    const dueMs = this.#startMs + (this.#sent / this.#options.ratePerSecond) * 1_000;
    this.#sent += events;
    if (dueMs > nowMs) await delay(systemClock, dueMs - nowMs);
  }

  async #deliver(lines: readonly EventLine[]): Promise<void> {
    const body = `[${lines.map((line) => line.json).join(',')}]`;
    const endMs = systemClock.monotonicMs() + GIVE_UP_MS;
    for (;;) {
      const status = await this.#post(body);
      if (status === 202) break;
      assert(status === 0 || status === 503, `the collector answered ${status} to a valid batch`);
      assert(systemClock.monotonicMs() < endMs, `a batch was refused for ${GIVE_UP_MS} ms`);
      await delay(systemClock, RETRY_PAUSE_MS);
    }
    this.acknowledged += lines.length;
    this.#options.onAcknowledged?.(lines.map((line) => line.id));
  }

  async #post(body: string): Promise<number> {
    let status = 0;
    try {
      const response = await fetch(`${this.#options.url}/v1/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      status = response.status;
    } catch {
      // No answer: whether Kafka has the batch is not known, so it is sent again.
    }
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    return status;
  }
}
