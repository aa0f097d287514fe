import { NiobeError, silentLogger, until, type Clock, type Logger } from '@niobe/kernel';
import type {
  ConsumerOptions,
  EventConsumer,
  EventLog,
  EventProducer,
  OutgoingRecord,
  PartitionOffsets,
  TopicSpec,
} from './event-log.ts';
import { anotherPartitionCount, checkRecordSize } from './log-errors.ts';
import { MemoryConsumer } from './memory-consumer.ts';
import { MemoryGroup } from './memory-group.ts';
import { MemoryPartition } from './memory-partition.ts';
import { partitionFor } from './partitioner.ts';

/**
 * The event log in memory: the twin of Kafka for tests and for a system in one process. What it holds ends with the process; each
 * partition keeps at most its topic's `retentionBytes` and forgets its oldest records beyond.
 *
 * It can be stopped and started again like a broker that went away: sends wait, consumers get nothing.
 */

/** A send that could not be written by then fails. */
const SEND_DEADLINE_MS = 15_000;

/** What a {@link MemoryEventLog} stands on. */
export interface MemoryEventLogOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly sendDeadlineMs?: number;
}

interface MemoryTopic {
  readonly spec: TopicSpec;
  readonly partitions: readonly MemoryPartition[];
}

/** See the head of this file. */
export class MemoryEventLog implements EventLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sendDeadlineMs: number;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #consumers = new Set<MemoryConsumer>();
  #running = true;
  #closed = false;
  #turn = 0;

  constructor(options: MemoryEventLogOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
    this.#sendDeadlineMs = options.sendDeadlineMs ?? SEND_DEADLINE_MS;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    await this.#turnOfLoop();
    for (const spec of specs) {
      const present = this.#topics.get(spec.name);
      if (present === undefined) this.#topics.set(spec.name, this.#newTopic(spec));
      else if (present.spec.partitions !== spec.partitions) throw anotherPartitionCount(spec, present.spec.partitions);
    }
  }

  #newTopic(spec: TopicSpec): MemoryTopic {
    const partitions = Array.from({ length: spec.partitions }, () => new MemoryPartition(spec, this.#clock));
    return { spec, partitions };
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    await this.#turnOfLoop();
    return this.#topic(topic).partitions.map(({ earliest, latest }) => ({ earliest, latest }));
  }

  async producer(): Promise<EventProducer> {
    await this.#turnOfLoop();
    let open = true;
    return {
      send: (topic, records) => {
        if (!open) return Promise.reject(new NiobeError('CLOSED', 'the producer is closed'));
        return this.#send(topic, records);
      },
      close: async () => {
        await this.#turnOfLoop();
        open = false;
      },
    };
  }

  async #send(name: string, records: readonly OutgoingRecord[]): Promise<void> {
    await this.#turnOfLoop();
    if (!this.#running) await this.#untilStarted();
    const topic = this.#topic(name);
    for (const record of records) checkRecordSize(record);
    for (const record of records) topic.partitions[this.#partitionOf(record, topic)]!.append(record);
    for (const consumer of this.#consumers) consumer.wake(name);
  }

  async #untilStarted(): Promise<void> {
    try {
      await until(this.#clock, () => this.#running, this.#sendDeadlineMs, 'the start of the log');
    } catch (cause) {
      throw new NiobeError('UNAVAILABLE', 'the event log is stopped', { retryAfterMs: 1000 }, cause);
    }
  }

  #partitionOf(record: OutgoingRecord, topic: MemoryTopic): number {
    const count = topic.partitions.length;
    if (record.partition !== undefined) return record.partition % count;
    return record.key === null ? this.#turn++ % count : partitionFor(record.key, count);
  }

  consumer(options: ConsumerOptions): EventConsumer {
    const { partitions } = this.#topic(options.topic);
    const group = this.#group(options);
    const consumer = new MemoryConsumer(options, {
      clock: this.#clock,
      logger: this.#logger,
      partitions,
      isRunning: () => this.#running,
      onClosed: () => {
        this.#consumers.delete(consumer);
        group.leave(consumer);
      },
    });
    this.#consumers.add(consumer);
    group.join(consumer);
    return consumer;
  }

  #group({ group, topic }: ConsumerOptions): MemoryGroup {
    const name = JSON.stringify([group, topic]);
    const present = this.#groups.get(name) ?? new MemoryGroup(this.#topic(topic).partitions.length, this.#clock);
    this.#groups.set(name, present);
    return present;
  }

  status(): { ready: boolean; reason: string } {
    return this.#running ? { ready: true, reason: '' } : { ready: false, reason: 'the event log is stopped' };
  }

  /** From now on the log is away. */
  stop(): void {
    this.#running = false;
  }

  /** The log is back, with all it had. */
  start(): void {
    this.#running = true;
    for (const consumer of this.#consumers) consumer.wake(null);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
  }

  #topic(name: string): MemoryTopic {
    if (this.#closed) throw new NiobeError('CLOSED', 'the event log is closed');
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new NiobeError('NOT_FOUND', `there is no topic ${name}`);
    return topic;
  }

  /** Answers of a log never come at once. */
  #turnOfLoop(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve));
  }
}
