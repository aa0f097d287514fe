import type {
  ConsumerOptions,
  EventConsumer,
  EventLog,
  EventProducer,
  PartitionOffsets,
  TopicSpec,
} from '@niobe/events';
import { every, messageOf, silentLogger, type Clock, type Logger, type Timer } from '@niobe/kernel';
import type { Kafka } from 'kafkajs';
import { KafkaAdmin } from './kafka-admin.ts';
import { newClient, type KafkaAddress } from './kafka-client.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { KafkaProducer } from './kafka-producer.ts';

/** The event log on Kafka, through kafkajs. Kafka may be away at any time, also at the start: everything waits and goes on. */

/** Default of {@link KafkaEventLogOptions.sendDeadlineMs}. */
const SEND_DEADLINE_MS = 15_000;
/** Default of {@link KafkaEventLogOptions.adminDeadlineMs}. */
const ADMIN_DEADLINE_MS = 60_000;
/** How often the cluster is asked whether it is there. */
const PROBE_MS = 2000;
/** A broker that does not answer a question by then is asked again. */
const PROBE_TIMEOUT_MS = 3000;

/** What a {@link KafkaEventLog} stands on. */
export interface KafkaEventLogOptions extends KafkaAddress {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A send that was not acknowledged by then fails with `UNAVAILABLE`. */
  readonly sendDeadlineMs?: number;
  /** `ensureTopics` and `offsets` wait so long for a Kafka that is away. */
  readonly adminDeadlineMs?: number;
}

/** See the head of this file. */
export class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions;
  readonly #kafka: Kafka;
  readonly #admin: KafkaAdmin;
  /** Asks what often has no answer yet; its own connection, whose failures kafkajs need not report. */
  readonly #probe: KafkaAdmin;
  readonly #probing: Timer;
  readonly #producers = new Set<KafkaProducer>();
  readonly #consumers = new Set<KafkaConsumer>();
  #reason = 'Kafka has not answered yet';

  constructor(options: KafkaEventLogOptions) {
    this.#options = options;
    const { clock, logger } = options;
    this.#kafka = newClient(options, logger);
    this.#admin = new KafkaAdmin(this.#kafka, clock, logger);
    this.#probe = new KafkaAdmin(newClient(options, silentLogger, PROBE_TIMEOUT_MS), clock, silentLogger);
    this.#probing = every(clock, PROBE_MS, () => this.#ask());
    void this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      await this.#probe.ping();
      if (this.#reason !== '') this.#options.logger.info({}, 'Kafka answers');
      this.#reason = '';
    } catch (error) {
      if (this.#reason === '') this.#options.logger.warn({ error: messageOf(error) }, 'Kafka does not answer');
      this.#reason = `Kafka at ${this.#options.brokers.join(', ')} does not answer`;
    }
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.#admin.ensureTopics(specs, this.#options.adminDeadlineMs ?? ADMIN_DEADLINE_MS);
  }

  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#admin.offsets(topic, this.#options.adminDeadlineMs ?? ADMIN_DEADLINE_MS);
  }

  async producer(): Promise<EventProducer> {
    const { clock, logger, sendDeadlineMs = SEND_DEADLINE_MS } = this.#options;
    const producer = new KafkaProducer(this.#kafka, clock, logger, sendDeadlineMs);
    this.#producers.add(producer);
    return producer;
  }

  consumer(options: ConsumerOptions): EventConsumer {
    const { clock, logger } = this.#options;
    const consumer = new KafkaConsumer(options, { kafka: this.#kafka, admin: this.#probe, clock, logger });
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): { ready: boolean; reason: string } {
    return { ready: this.#reason === '', reason: this.#reason };
  }

  async close(): Promise<void> {
    this.#probing.cancel();
    const parts = [...this.#consumers, ...this.#producers];
    await Promise.all(parts.map((part) => part.close()));
    await Promise.all([this.#admin.close(), this.#probe.close()]);
  }
}
