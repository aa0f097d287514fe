import type { KV, Kvm } from '@nats-io/kv';
import { delay } from '@niobe/kernel';
import { asNiobeError, outcomeOf } from './jetstream-outcome.ts';
import type { NatsLink } from './nats-link.ts';

/** How long a map tries to settle one operation: longer than the election of a stream's leader or the restart of a server. */
const SETTLE_TIMEOUT_MS = 20_000;
const RETRY_MS = 200;
const ANSWER_TIMEOUT_MS = 2_000;

/** A bucket that is made where it is missing, and operations that are repeated while NATS gives no certain answer. */
export class Bucket {
  readonly name: string;
  readonly link: NatsLink;
  readonly #kvm: Kvm;
  readonly #replicas: number;
  #kv: KV | null = null;

  constructor(kvm: Kvm, name: string, replicas: number, link: NatsLink) {
    this.#kvm = kvm;
    this.name = name;
    this.#replicas = replicas;
    this.link = link;
  }

  /** Name of the stream that holds the bucket. */
  get stream(): string {
    return `KV_${this.name}`;
  }

  /** The monotonic time at which an operation that begins now is given up. */
  deadline(): number {
    return this.link.clock.monotonicMs() + SETTLE_TIMEOUT_MS;
  }

  /** Makes the bucket unless it is there. Reads go to the leader only: `allow_direct` would let followers answer. */
  async ensure(): Promise<KV> {
    return this.settle('opening', (kv) => Promise.resolve(kv));
  }

  /**
   * Runs `attempt`, which must bear repetition, until it gets a certain answer. Errors that are certain pass through as they are;
   * `UNKNOWN` at the deadline.
   */
  async settle<R>(what: string, attempt: (kv: KV) => Promise<R>, endMs: number = this.deadline()): Promise<R> {
    for (;;) {
      try {
        return await attempt(await this.#connected());
      } catch (error) {
        const outcome = outcomeOf(error);
        if (outcome === 'lost') throw error;
        if (outcome === 'closed' || outcome === 'refused') throw asNiobeError(error, `${this.name}: ${what}`);
        if (outcome === 'no-bucket') this.#kv = null;
        await this.pause(error, what, endMs);
      }
    }
  }

  /** Waits a little before a repetition; throws `UNKNOWN` when the time is up. */
  async pause(error: unknown, what: string, endMs: number): Promise<void> {
    if (this.link.clock.monotonicMs() + RETRY_MS >= endMs) throw asNiobeError(error, `${this.name}: ${what}`);
    await delay(this.link.clock, RETRY_MS);
  }

  async #connected(): Promise<KV> {
    this.#kv ??= await this.#kvm.create(this.name, {
      history: 1,
      replicas: this.#replicas,
      allow_direct: false,
      timeout: ANSWER_TIMEOUT_MS,
    });
    return this.#kv;
  }
}
