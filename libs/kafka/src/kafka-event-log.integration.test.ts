import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@niobe/kernel';
import { describeWithLocalKafka, eventLogContract, startKafka } from '@niobe/testing';
import { KafkaEventLog } from './kafka-event-log.ts';

describeWithLocalKafka('with a Kafka that is killed', () => {
  eventLogContract('KafkaEventLog', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'niobe-kafka-'));
    let kafka = await startKafka({ dataDir });
    const log = new KafkaEventLog({
      brokers: [kafka.bootstrap],
      clientId: 'contract',
      clock: systemClock,
      logger: silentLogger,
      sendDeadlineMs: 60_000,
    });
    return {
      log,
      interrupt: async (whileAway) => {
        await kafka.kill();
        await whileAway();
        const { port, controllerPort } = kafka;
        kafka = await startKafka({ dataDir, port, controllerPort });
      },
      close: async () => {
        await log.close();
        await kafka.kill();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  });
});
