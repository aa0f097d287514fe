import { anotherPartitionCount, type PartitionOffsets, type TopicSpec } from '@niobe/events';
import { delay, isNiobeError, NiobeError, type Clock, type ErrorCode, type Logger } from '@niobe/kernel';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { brokerError } from './kafka-errors.ts';

/** One administrative connection: topics, offsets, and whether the cluster answers. It is made anew after every failure. */

/** Pause between attempts. */
const ATTEMPT_PAUSE_MS = 500;
const TIMESTAMP_TYPE = 'message.timestamp.type';
const ARRIVAL = 'LogAppendTime';

/** Something asked again and again. */
interface Question {
  /** Named in errors. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Errors that pass with time; `UNAVAILABLE` by default. */
  readonly passing?: readonly ErrorCode[];
}

/** See above. */
export class KafkaAdmin {
  readonly #kafka: Kafka;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #admin: Promise<Admin> | null = null;
  #closed = false;

  constructor(kafka: Kafka, clock: Clock, logger: Logger) {
    this.#kafka = kafka;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Creates what is missing, then compares what is there. Tries again while Kafka is away, for `timeoutMs`. */
  async ensureTopics(specs: readonly TopicSpec[], timeoutMs: number): Promise<void> {
    if (specs.length === 0) return;
    // A topic that was just created may be unknown for a moment still.
    const passing: readonly ErrorCode[] = ['UNAVAILABLE', 'NOT_FOUND'];
    const what = 'creating topics';
    await this.#persistently({ what, timeoutMs, passing }, async (admin) => {
      const present = new Set(await admin.listTopics());
      const missing = specs.filter(({ name }) => !present.has(name));
      if (missing.length > 0) await admin.createTopics({ topics: missing.map(topicConfig), waitForLeaders: true });
      for (const { name } of missing) this.#logger.info({ topic: name }, 'created a topic');
      await comparePartitions(admin, specs);
      await compareTimestamps(admin, specs);
    });
  }

  /** By partition. */
  offsets(topic: string, timeoutMs: number): Promise<PartitionOffsets[]> {
    return this.#persistently({ what: `asking for the offsets of ${topic}`, timeoutMs }, async (admin) => {
      const rows = await admin.fetchTopicOffsets(topic);
      const sorted = rows.sort((a, b) => a.partition - b.partition);
      return sorted.map(({ low, high }) => ({ earliest: Number(low), latest: Number(high) }));
    });
  }

  /** Waits until the group's coordinator can be asked: a new cluster first makes the topic in which it keeps groups. */
  async coordinatorOf(group: string, timeoutMs: number): Promise<void> {
    const what = `asking for the coordinator of the group ${group}`;
    await this.#persistently({ what, timeoutMs }, (admin) => admin.describeGroups([group]));
  }

  /** One question to the cluster, without a second attempt. */
  async ping(): Promise<void> {
    await this.#once('asking the cluster', (admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  async #persistently<T>(question: Question, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const { what, timeoutMs, passing = ['UNAVAILABLE'] } = question;
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    for (;;) {
      try {
        return await this.#once(what, ask);
      } catch (error) {
        const passes = isNiobeError(error) && passing.includes(error.code);
        if (!passes || this.#closed || this.#clock.monotonicMs() >= endMs) throw error;
        this.#logger.debug({ what }, error.message);
        await delay(this.#clock, ATTEMPT_PAUSE_MS);
      }
    }
  }

  async #once<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed) throw new NiobeError('CLOSED', `${what}: the event log is closed`);
    try {
      this.#admin ??= this.#connect();
      return await ask(await this.#admin);
    } catch (error) {
      await this.#drop();
      throw brokerError(error, what);
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    return admin;
  }

  async #drop(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    // A connection that never was, or is broken, has nothing to say on parting.
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}

function topicConfig(spec: TopicSpec): {
  topic: string;
  numPartitions: number;
  configEntries: { name: string; value: string }[];
} {
  return {
    topic: spec.name,
    numPartitions: spec.partitions,
    configEntries: [
      { name: TIMESTAMP_TYPE, value: ARRIVAL },
      { name: 'retention.ms', value: String(spec.retentionMs) },
      { name: 'retention.bytes', value: String(spec.retentionBytes) },
    ],
  };
}

async function comparePartitions(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) });
  for (const spec of specs) {
    const present = topics.find(({ name }) => name === spec.name)?.partitions.length ?? 0;
    if (present !== spec.partitions) throw anotherPartitionCount(spec, present);
  }
}

async function compareTimestamps(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: specs.map(({ name }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [TIMESTAMP_TYPE],
    })),
  });
  for (const { resourceName, configEntries } of resources) {
    const type = configEntries.find(({ configName }) => configName === TIMESTAMP_TYPE)?.configValue;
    if (type !== ARRIVAL) throw otherTimestamps(resourceName, String(type));
  }
}

function otherTimestamps(topic: string, type: string): NiobeError {
  return new NiobeError(
    'INCOMPATIBLE',
    `the topic ${topic} has ${TIMESTAMP_TYPE}=${type}: age in deduplication and retention is counted from arrival; ` +
      `set it to ${ARRIVAL} (kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${TIMESTAMP_TYPE}=${ARRIVAL})`,
  );
}
