import { KafkaEventLog } from '@niobe/kafka';
import { silentLogger, systemClock } from '@niobe/kernel';
import type { OutgoingRecord } from '@niobe/events';

/** Writes records straight to a topic, past the collector, as any producer may. */
export interface TopicWriter {
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a writer to the broker at `address` (`host:port`). */
export async function openTopicWriter(address: string): Promise<TopicWriter> {
  const log = new KafkaEventLog({
    brokers: [address],
    clientId: 'niobe-check',
    clock: systemClock,
    logger: silentLogger,
  });
  const producer = await log.producer();
  return {
    send: (topic, records) => producer.send(topic, records),
    async close() {
      await producer.close();
      await log.close();
    },
  };
}
