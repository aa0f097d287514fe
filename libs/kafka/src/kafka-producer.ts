import {
  checkRecordSize,
  partitionFor,
  type EventProducer,
  type OutgoingRecord,
  type RecordBytes,
} from '@niobe/events';
import { delay, messageOf, NiobeError, withDeadline, type Clock, type Logger } from '@niobe/kernel';
import type { Kafka, Message, Producer } from 'kafkajs';
import { brokerError } from './kafka-errors.ts';
import { REQUEST_TIMEOUT_MS, RETRY } from './kafka-client.ts';

/**
 * Produces with every replica's acknowledgement, and tries again until its deadline.
 *
 * It does not use kafkajs's idempotent producer: that one fails for good once its sequence is broken by a broker that died, and what it
 * would prevent (a record written twice because its acknowledgement was lost) is what every consumer here removes by the event's id.
 */

const ALL_REPLICAS = -1;
const ATTEMPT_PAUSE_MS = 200;
/** A broker that is away is not waited for at the end. */
const PART_TIMEOUT_MS = 3000;

/** See above. */
export class KafkaProducer implements EventProducer {
  readonly #producer: Producer;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  #connected: Promise<void> | null = null;
  #closed = false;

  constructor(kafka: Kafka, clock: Clock, logger: Logger, deadlineMs: number) {
    this.#producer = kafka.producer({
      createPartitioner: () => choosePartition,
      allowAutoTopicCreation: false,
      retry: RETRY,
    });
    this.#clock = clock;
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
  }

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    for (const record of records) checkRecordSize(record);
    const messages = records.map(toMessage);
    const endMs = this.#clock.monotonicMs() + this.#deadlineMs;
    for (;;) {
      const error = await this.#attempt(topic, messages);
      if (error === null) return;
      if (error.code !== 'UNAVAILABLE' || this.#clock.monotonicMs() + ATTEMPT_PAUSE_MS >= endMs) throw error;
      this.#logger.debug({ topic, records: records.length }, error.message);
      await delay(this.#clock, ATTEMPT_PAUSE_MS);
    }
  }

  async #attempt(topic: string, messages: Message[]): Promise<NiobeError | null> {
    if (this.#closed) return new NiobeError('CLOSED', 'the producer is closed');
    try {
      this.#connected ??= this.#producer.connect();
      await this.#connected;
    } catch (error) {
      this.#connected = null;
      return brokerError(error, 'connecting to Kafka');
    }
    try {
      await this.#producer.send({ topic, messages, acks: ALL_REPLICAS, timeout: REQUEST_TIMEOUT_MS });
      return null;
    } catch (error) {
      return brokerError(error, `writing to the topic ${topic}`);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    try {
      await withDeadline(this.#clock, this.#producer.disconnect(), PART_TIMEOUT_MS, 'parting from Kafka');
    } catch (error) {
      this.#logger.debug({ error: messageOf(error) }, 'ended without parting');
    }
  }
}

/** kafkajs takes a `Buffer` or text; any other bytes it would write as the text of their numbers. */
function toMessage({ partition, key, value, headers }: OutgoingRecord): Message {
  const message: Message = { key: bufferOf(key), value: bufferOf(value) };
  if (partition !== undefined) message.partition = partition;
  if (headers !== undefined) message.headers = buffersOf(headers);
  return message;
}

function bufferOf(bytes: RecordBytes | null): Buffer | string | null {
  if (bytes === null || typeof bytes === 'string' || Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function buffersOf(headers: Readonly<Record<string, RecordBytes>>): Record<string, Buffer | string> {
  const buffers: Record<string, Buffer | string> = {};
  for (const name in headers) buffers[name] = bufferOf(headers[name]!)!;
  return buffers;
}

let turn = 0;

/** Partitioner of kafkajs: the stated partition, else that of the key as Java clients choose it, else any. */
function choosePartition({
  message,
  partitionMetadata,
}: {
  message: Message;
  partitionMetadata: readonly unknown[];
}): number {
  const count = partitionMetadata.length;
  if (message.partition !== undefined) return message.partition;
  if (message.key === null || message.key === undefined) return turn++ % count;
  return partitionFor(message.key, count);
}
