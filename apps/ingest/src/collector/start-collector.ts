import { EventCatalogue, RecordWriter, topicSpecs, type Deployment, type EventLog } from '@niobe/events';
import type { Clock, Logger, Meter, Random } from '@niobe/kernel';
import { keepTrying, type RunningService } from '@niobe/service';
import { Collector } from './collector.ts';
import { collectorRoutes } from './routes.ts';
import { WriteQueue } from './write-queue.ts';

const WRITE_SECONDS: readonly number[] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** What the collector stands on. */
export interface CollectorParts {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly starting: (progress: string) => void;
  readonly stopping: AbortSignal;
}

/** Starts the collector in front of an event log: waits for the log, creates the topics, takes events. The log stays the caller's. */
export async function startCollector(deployment: Deployment, parts: CollectorParts): Promise<RunningService> {
  const { eventLog, clock, random, logger, meter } = parts;
  await keepTrying(parts, 'Kafka and its topics', () => eventLog.ensureTopics(topicSpecs(deployment.topics)));
  const producer = await eventLog.producer();
  const writeSeconds = meter.histogram(
    'write_seconds',
    'From the first record of a write to its acknowledgement.',
    WRITE_SECONDS,
  );
  const queue = new WriteQueue({ producer, clock, logger, writeSeconds });
  const writer = new RecordWriter(new EventCatalogue(deployment), clock, random);
  const collector = new Collector({ writer, queue, meter });
  return {
    readiness: () => {
      const refusal = collector.refusal();
      return refusal === null ? eventLog.status() : { ready: false, reason: refusal.message };
    },
    drain: async () => {
      await collector.drain();
      await producer.close();
    },
    routes: collectorRoutes(collector),
  };
}
