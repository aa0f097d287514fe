import { assert, messageOf, type Clock, type Logger } from '@niobe/kernel';
import type { ConsumerOptions, EventConsumer, RecordBatch } from './event-log.ts';
import { offsetGone } from './log-errors.ts';
import type { GroupMember } from './memory-group.ts';
import type { MemoryPartition } from './memory-partition.ts';

/** A batch that was refused is delivered again after this pause. */
const REDELIVERY_MS = 100;
/** A handler that runs longer than this is not waited for at the end. */
const CLOSE_WAIT_MS = 5000;

/** What a consumer needs of its log. */
export interface ConsumerSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly partitions: readonly MemoryPartition[];
  isRunning(): boolean;
  onClosed(): void;
}

/** Where one assigned partition stands. */
interface Flow {
  readonly partition: number;
  /** Offset the next batch begins with; -1 until the first `seek`. */
  next: number;
  paused: boolean;
  /** A batch is gathered, or waits to be delivered again. */
  waiting: boolean;
}

/** A consumer of {@link MemoryEventLog}. */
export class MemoryConsumer implements EventConsumer, GroupMember {
  readonly #options: ConsumerOptions;
  readonly #log: ConsumerSurroundings;
  #flows = new Map<number, Flow>();
  /** Handlers that run, by partition: they outlive an assignment, and the partition waits for them. */
  readonly #handlers = new Map<number, Promise<void>>();
  #closed = false;

  constructor(options: ConsumerOptions, log: ConsumerSurroundings) {
    this.#options = options;
    this.#log = log;
  }

  assign(partitions: readonly number[]): void {
    if (this.#closed) return;
    this.#flows = new Map(
      partitions.map((partition) => [partition, { partition, next: -1, paused: false, waiting: false }]),
    );
    this.#options.onAssigned(partitions);
  }

  revoke(): void {
    if (this.#flows.size === 0) return;
    const partitions = [...this.#flows.keys()];
    this.#flows = new Map();
    this.#options.onRevoked(partitions);
  }

  seek(partition: number, offset: number): void {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a non-negative integer');
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    flow.next = offset;
    this.#pump(flow);
  }

  pause(partition: number): void {
    const flow = this.#flows.get(partition);
    if (flow !== undefined) flow.paused = true;
  }

  resume(partition: number): void {
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    flow.paused = false;
    this.#pump(flow);
  }

  /** New records, or the log is back; null: any topic. */
  wake(topic: string | null): void {
    if (topic !== null && topic !== this.#options.topic) return;
    for (const flow of this.#flows.values()) this.#pump(flow);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.revoke();
    this.#log.onClosed();
    const { clock } = this.#log;
    await Promise.race([
      Promise.all(this.#handlers.values()),
      new Promise<void>((end) => clock.after(CLOSE_WAIT_MS, end, true)),
    ]);
  }

  #isIdle(flow: Flow): boolean {
    return (
      flow.next >= 0 && !flow.paused && !flow.waiting && this.#log.isRunning() && !this.#handlers.has(flow.partition)
    );
  }

  #pump(flow: Flow): void {
    if (!this.#isIdle(flow) || this.#flows.get(flow.partition) !== flow) return;
    const { earliest, latest } = this.#log.partitions[flow.partition]!;
    if (flow.next < earliest || flow.next > latest) return this.#fail(flow, earliest, latest);
    if (flow.next === latest) return;
    this.#later(flow, this.#options.gatherMs);
  }

  #fail(flow: Flow, earliest: number, latest: number): void {
    const { topic } = this.#options;
    const offset = flow.next;
    flow.next = -1;
    this.#options.onFailed(flow.partition, offsetGone(topic, flow.partition, offset, earliest, latest));
  }

  #later(flow: Flow, delayMs: number): void {
    flow.waiting = true;
    this.#log.clock.after(delayMs, () => {
      flow.waiting = false;
      if (this.#isIdle(flow) && this.#flows.get(flow.partition) === flow) this.#deliver(flow);
    });
  }

  #deliver(flow: Flow): void {
    const partition = this.#log.partitions[flow.partition]!;
    if (flow.next < partition.earliest) return this.#fail(flow, partition.earliest, partition.latest);
    const { topic, maxBatchBytes } = this.#options;
    const batch = partition.read(topic, flow.partition, flow.next, maxBatchBytes);
    if (batch === null) return;
    const handler = this.#handle(flow, batch).finally(() => {
      this.#handlers.delete(flow.partition);
      const present = this.#flows.get(flow.partition);
      if (present !== undefined) this.#pump(present);
    });
    this.#handlers.set(flow.partition, handler);
  }

  async #handle(flow: Flow, batch: RecordBatch): Promise<void> {
    try {
      await this.#options.onBatch(batch);
      if (flow.next === batch.from) flow.next = batch.to;
    } catch (error) {
      const { topic, partition } = batch;
      this.#log.logger.warn({ topic, partition, error: messageOf(error) }, 'a batch was refused and comes again');
      this.#later(flow, REDELIVERY_MS);
    }
  }
}
