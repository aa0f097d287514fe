import { offsetGone, type ConsumerOptions, type EventConsumer, type RecordBatch } from '@niobe/events';
import {
  assert,
  deferred,
  delay,
  messageOf,
  NiobeError,
  withDeadline,
  type Clock,
  type Deferred,
  type Logger,
} from '@niobe/kernel';
import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { KafkaAdmin } from './kafka-admin.ts';
import { RETRY } from './kafka-client.ts';
import { moveTo, newFlow, wantsFetch, type PartitionFlow } from './partition-flow.ts';
import { toRecordBatch } from './record-columns.ts';

/**
 * A member of a Kafka consumer group whose positions are its own.
 *
 * 1. Every assignment begins with all partitions held; each is fetched from where `seek` says. Auto-commit is off and nothing is
 *    committed: the group serves to deal out partitions only.
 * 2. kafkajs fetches again only when every batch of the last fetch was taken, so taking one never waits: it goes to the handler, or
 *    waits as the one next batch of its partition, which is paused meanwhile. So a partition whose handler waits for a shard holds back
 *    no other one, and kafkajs keeps fetching and sends its heartbeats however long that takes.
 * 3. A batch that does not begin where the one before it ended is dropped and sought again: kafkajs may have fallen back to some other
 *    offset. If the same is missing again, the log is asked: an offset it does not have ends the partition with `OFFSET_GONE`, a gap
 *    within what it has (control records, compaction) is passed.
 * 4. When kafkajs gives up, all partitions are revoked and it is started anew after a pause, for ever.
 */

/** A group waits this long for a member that died; brokers take no less than 6 s by default. */
const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 30_000;
const HEARTBEAT_MS = 3000;
/** Fetches answer at once with this much, else with what came within `gatherMs`. */
const GATHER_BYTES = 64 * 1024;
/** A fetch of a consumer that does not gather waits so long for a first record. */
const IDLE_FETCH_MS = 100;
/** A batch that was refused is delivered again after this pause. */
const REDELIVERY_MS = 500;
const RESTART_MS = 500;
const ASK_TIMEOUT_MS = 30_000;
const LEAVE_TIMEOUT_MS = 5000;

/** What a consumer stands on. */
export interface KafkaSurroundings {
  readonly kafka: Kafka;
  readonly admin: KafkaAdmin;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See the head of this file. */
export class KafkaConsumer implements EventConsumer {
  readonly #options: ConsumerOptions;
  readonly #surroundings: KafkaSurroundings;
  readonly #logger: Logger;
  #flows = new Map<number, PartitionFlow>();
  /** Handlers that run, by partition; they may outlive an assignment, and then the next one waits for them. */
  readonly #handlers = new Map<number, Promise<void>>();
  #consumer: Consumer | null = null;
  readonly #stop: Deferred<void> = deferred();
  #closed = false;
  readonly #ended: Promise<void>;

  constructor(options: ConsumerOptions, surroundings: KafkaSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#logger = surroundings.logger.child({ group: options.group, topic: options.topic });
    this.#ended = this.#consumeForEver();
  }

  seek(partition: number, offset: number): void {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset is a non-negative integer');
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    moveTo(flow, offset);
    this.#fetchFrom(flow);
  }

  pause(partition: number): void {
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    flow.paused = true;
    this.#steer(flow);
  }

  resume(partition: number): void {
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    flow.paused = false;
    this.#handNext(flow);
    this.#steer(flow);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#revoke();
    this.#stop.resolve();
    await this.#ended;
    await this.#inTime(Promise.all(this.#handlers.values()), 'the handlers');
  }

  async #consumeForEver(): Promise<void> {
    while (!this.#closed) {
      try {
        await Promise.race([this.#consume(), this.#stop.promise]);
      } catch (error) {
        if (!this.#closed) this.#logger.warn({ error: messageOf(error) }, 'cannot consume; starting again');
      }
      this.#revoke();
      await this.#leave();
      if (!this.#closed) await delay(this.#surroundings.clock, RESTART_MS);
    }
  }

  /** From joining the group until kafkajs gives up, which is thrown. Every step may be the one after `close`. */
  async #consume(): Promise<never> {
    const { topic, group } = this.#options;
    await this.#surroundings.admin.coordinatorOf(group, ASK_TIMEOUT_MS);
    const consumer = this.#newConsumer();
    const crashed = deferred<never>();
    consumer.on(consumer.events.GROUP_JOIN, (event) => this.#assign(event, consumer));
    consumer.on(consumer.events.REBALANCING, () => this.#revoke());
    consumer.on(consumer.events.CRASH, ({ payload }: ConsumerCrashEvent) => crashed.reject(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    this.#refuseIfClosed();
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => this.#take(payload);
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    return crashed.promise;
  }

  #newConsumer(): Consumer {
    this.#refuseIfClosed();
    const { group, gatherMs, maxBatchBytes } = this.#options;
    this.#consumer = this.#surroundings.kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxBytesPerPartition: maxBatchBytes,
      minBytes: gatherMs > 0 ? GATHER_BYTES : 1,
      maxWaitTimeInMs: gatherMs > 0 ? gatherMs : IDLE_FETCH_MS,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: async () => false },
    });
    return this.#consumer;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new NiobeError('CLOSED', 'the consumer is closed');
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer !== null) await this.#inTime(consumer.disconnect(), 'leaving the group');
  }

  /** Waits for an end that is not needed, only nicer. */
  async #inTime(end: Promise<unknown>, what: string): Promise<void> {
    try {
      await withDeadline(this.#surroundings.clock, end, LEAVE_TIMEOUT_MS, what);
    } catch (error) {
      this.#logger.debug({ error: messageOf(error) }, 'ended without waiting longer');
    }
  }

  #assign({ payload }: ConsumerGroupJoinEvent, consumer: Consumer): void {
    this.#revoke();
    if (this.#closed) return void this.#inTime(consumer.disconnect(), 'leaving a group that was joined too late');
    const partitions = payload.memberAssignment[this.#options.topic] ?? [];
    this.#flows = new Map(partitions.map((partition) => [partition, newFlow(partition)]));
    this.#tell((consumer) => consumer.pause([{ topic: this.#options.topic, partitions: [...partitions] }]));
    this.#logger.info({ partitions: partitions.join(' ') }, 'partitions were assigned');
    this.#options.onAssigned(partitions);
  }

  #revoke(): void {
    if (this.#flows.size === 0) return;
    const partitions = [...this.#flows.keys()];
    this.#flows = new Map();
    this.#options.onRevoked(partitions);
  }

  /** Makes kafkajs fetch the partition, or not, as its flow wants. */
  #steer(flow: PartitionFlow): void {
    const wanted = wantsFetch(flow);
    if (wanted === flow.fetching) return;
    flow.fetching = wanted;
    const partitions = [{ topic: this.#options.topic, partitions: [flow.partition] }];
    this.#tell((consumer) => (wanted ? consumer.resume(partitions) : consumer.pause(partitions)));
  }

  #fetchFrom(flow: PartitionFlow): void {
    const { topic } = this.#options;
    this.#tell((consumer) => consumer.seek({ topic, partition: flow.partition, offset: String(flow.next) }));
    this.#steer(flow);
  }

  /** kafkajs takes no orders between its end and the revocation that follows; then they no longer matter. */
  #tell(order: (consumer: Consumer) => void): void {
    if (this.#consumer === null) return;
    try {
      order(this.#consumer);
    } catch (error) {
      this.#logger.debug({ error: messageOf(error) }, 'an order came after the end of the consumer');
    }
  }

  /** What kafkajs fetched; never waits. */
  #take(payload: EachBatchPayload): void {
    const { batch } = payload;
    const flow = this.#flows.get(batch.partition);
    if (flow === undefined || !wantsFetch(flow) || payload.isStale()) return;
    const first = Number(batch.firstOffset());
    const last = Number(batch.lastOffset());
    const isNext = last >= flow.next && (first <= flow.next || flow.verified === flow.next);
    if (!isNext) return void this.#verify(flow, flow.turn);
    const records = toRecordBatch(batch, flow.next, last + 1);
    flow.next = records.to;
    payload.resolveOffset(batch.lastOffset());
    this.#hand(flow, records);
  }

  #hand(flow: PartitionFlow, batch: RecordBatch): void {
    flow.waiting = batch;
    this.#handNext(flow);
    this.#steer(flow);
  }

  #handNext(flow: PartitionFlow): void {
    const batch = flow.waiting;
    if (batch === null || flow.paused || this.#handlers.has(flow.partition)) return;
    flow.waiting = null;
    const handler = this.#handle(flow, batch, flow.turn).finally(() => this.#afterHandler(flow.partition));
    this.#handlers.set(flow.partition, handler);
  }

  async #handle(flow: PartitionFlow, batch: RecordBatch, turn: number): Promise<void> {
    try {
      await this.#options.onBatch(batch);
    } catch (error) {
      const { partition, from } = batch;
      this.#logger.warn({ partition, from, error: messageOf(error) }, 'a batch was refused and comes again');
      await delay(this.#surroundings.clock, REDELIVERY_MS);
      if (this.#flows.get(partition) === flow && flow.turn === turn) this.seek(partition, from);
    }
  }

  #afterHandler(partition: number): void {
    this.#handlers.delete(partition);
    const flow = this.#flows.get(partition);
    if (flow === undefined) return;
    this.#handNext(flow);
    this.#steer(flow);
  }

  /** A batch began elsewhere: does the log have what is missing? */
  async #verify(flow: PartitionFlow, turn: number): Promise<void> {
    const { topic } = this.#options;
    const { partition, next } = flow;
    flow.fetching = false;
    this.#tell((consumer) => consumer.pause([{ topic, partitions: [partition] }]));
    try {
      const offsets = await this.#surroundings.admin.offsets(topic, ASK_TIMEOUT_MS);
      const { earliest, latest } = offsets[partition]!;
      if (this.#flows.get(partition) !== flow || flow.turn !== turn) return;
      if (next < earliest || next > latest)
        return this.#fail(flow, offsetGone(topic, partition, next, earliest, latest));
      flow.verified = next;
    } catch (error) {
      this.#logger.warn(
        { partition, next, error: messageOf(error) },
        'cannot compare a position with the log; seeking again',
      );
    }
    this.#fetchFrom(flow);
  }

  #fail(flow: PartitionFlow, error: Error): void {
    flow.next = -1;
    this.#options.onFailed(flow.partition, error);
  }
}
