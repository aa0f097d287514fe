import {
  EventCatalogue,
  RecordWriter,
  topicSpecs,
  type Deployment,
  type EventLog,
  type EventProducer,
  type OutgoingRecord,
} from '@niobe/events';
import { delay, isNiobeError, messageOf, NiobeError, systemRandom, type Clock } from '@niobe/kernel';
import type { Rejection } from '@niobe/tool-clickgen';
import type { EventSink } from './replay.ts';
import type { ReplayEvent } from './row-mapper.ts';

const RETRY_PAUSE_MS = 500;

/**
 * Writes events straight into their topics, as the same records that the collector would write.
 *
 * A send that fails is repeated as a whole: what it had written already is there twice then, under the same event ids.
 */
export class LogSink implements EventSink {
  readonly #log: EventLog;
  readonly #producer: EventProducer;
  readonly #writer: RecordWriter;
  readonly #clock: Clock;
  #trouble = '';
  #closed = false;

  private constructor(log: EventLog, producer: EventProducer, writer: RecordWriter, clock: Clock) {
    this.#log = log;
    this.#producer = producer;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Creates the deployment's topics where they are missing. The sink closes the log. */
  static async open(log: EventLog, deployment: Deployment, clock: Clock): Promise<LogSink> {
    await log.ensureTopics(topicSpecs(deployment.topics));
    const writer = new RecordWriter(new EventCatalogue(deployment), clock, systemRandom());
    return new LogSink(log, await log.producer(), writer, clock);
  }

  get trouble(): string {
    return this.#trouble;
  }

  async post(events: readonly ReplayEvent[]): Promise<readonly Rejection[]> {
    const rejected: Rejection[] = [];
    const byTopic = new Map<string, OutgoingRecord[]>();
    events.forEach((event, index) => {
      try {
        const { topic, record } = this.#writer.fromJson(event);
        const records = byTopic.get(topic);
        if (records === undefined) byTopic.set(topic, [record]);
        else records.push(record);
      } catch (error) {
        rejected.push(rejectionOf(error, index));
      }
    });
    for (const [topic, records] of byTopic) await this.#send(topic, records);
    return rejected;
  }

  async #send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    for (;;) {
      if (this.#closed) throw new NiobeError('CLOSED', 'the replay was stopped while the event log was away');
      try {
        await this.#producer.send(topic, records);
        this.#trouble = '';
        return;
      } catch (error) {
        if (!isNiobeError(error, 'UNAVAILABLE')) throw error;
        this.#trouble = messageOf(error);
        await delay(this.#clock, RETRY_PAUSE_MS);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#producer.close();
    await this.#log.close();
  }
}

function rejectionOf(error: unknown, index: number): Rejection {
  if (!isNiobeError(error)) throw error;
  return { index, code: error.code, path: error.details.path ?? '', detail: error.message };
}
