import { NiobeError } from '@niobe/kernel';
import type { FrontierPart, StepTotals } from '../frames/frontier.ts';

/**
 * What the other shards tell in a search. A peer may be one step ahead and no more, for its next step begins when it has heard this
 * shard's present one. Whatever comes twice is taken once.
 */
export class Inbox {
  readonly #shards: number;
  readonly #self: number;
  #current: StepInbox;
  #next: StepInbox;
  #step = 1;

  /** @param self index of this shard, from which nothing comes. */
  constructor(shards: number, self: number) {
    this.#shards = shards;
    this.#self = self;
    this.#current = new StepInbox(shards);
    this.#next = new StepInbox(shards);
  }

  /** Bytes of parts that wait. */
  get bytes(): number {
    return this.#current.bytes + this.#next.bytes;
  }

  /** True if a part waits, or the step is complete. */
  get hasNews(): boolean {
    return this.#current.peek() !== undefined || this.#current.isComplete;
  }

  /** True if every peer has told all of the present step and all of it was read. */
  get isComplete(): boolean {
    return this.#current.isComplete;
  }

  /** What the peers told at the end of the present step; where they did not yet, zeros. By shard. */
  get totals(): readonly StepTotals[] {
    return this.#current.totals;
  }

  /** Takes a part. Throws `MALFORMED` where no shard of this search can have sent it. */
  take(part: FrontierPart): void {
    if (part.sender >= this.#shards || part.sender === this.#self || part.step > this.#step + 1 || part.step < 1)
      throw new NiobeError('MALFORMED', `no shard sends step ${part.step} to step ${this.#step}`);
    if (part.step === this.#step) this.#current.take(part);
    else if (part.step > this.#step) this.#next.take(part);
  }

  /** A part of the present step that was not read yet. */
  peek(): FrontierPart | undefined {
    return this.#current.peek();
  }

  /** That part was read. */
  shift(): void {
    this.#current.shift();
  }

  /** The present step is over. */
  advance(): void {
    this.#step += 1;
    this.#current = this.#next;
    this.#next = new StepInbox(this.#shards);
  }
}

const NO_TOTALS: StepTotals = { candidates: 0, settled: 0, vertices: 0, bytes: 0 };

/** One step of all peers. */
class StepInbox {
  readonly totals: StepTotals[];
  readonly #queue: FrontierPart[] = [];
  /** By shard: numbers of the parts that came. */
  readonly #taken: Set<number>[];
  /** By shard: how many parts there are; 0 = not known yet. */
  readonly #parts: Uint32Array;
  #open: number;
  bytes = 0;

  constructor(shards: number) {
    this.totals = Array.from({ length: shards }, () => NO_TOTALS);
    this.#taken = Array.from({ length: shards }, () => new Set<number>());
    this.#parts = new Uint32Array(shards);
    this.#open = shards - 1;
  }

  get isComplete(): boolean {
    return this.#open === 0 && this.#queue.length === 0;
  }

  take(part: FrontierPart): void {
    const { sender } = part;
    const taken = this.#taken[sender]!;
    if (taken.has(part.part)) return;
    if (this.#parts[sender] !== 0 && (part.isLast || part.part >= this.#parts[sender]!))
      throw new NiobeError('MALFORMED', `part ${part.part} of a step that has ${this.#parts[sender]}`);
    taken.add(part.part);
    if (part.isLast) {
      this.#parts[sender] = part.part + 1;
      this.totals[sender] = part.totals;
    }
    if (taken.size === this.#parts[sender]) this.#open -= 1;
    this.#queue.push(part);
    this.bytes += part.sections.bytes.length;
  }

  peek(): FrontierPart | undefined {
    return this.#queue[0];
  }

  shift(): void {
    this.bytes -= this.#queue.shift()!.sections.bytes.length;
  }
}
