import { readDeployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { runService } from '@niobe/service';
import { CONNECTIONS_MAX } from './collector/limits.ts';
import { configSchema } from './config.ts';
import { startIngest } from './service.ts';

/** Start-up says what it waits for after so long. */
const ADMIN_DEADLINE_MS = 2000;

await runService({
  name: 'ingest',
  configSchema,
  connectionsMax: CONNECTIONS_MAX,
  start: async (host) => {
    const { NIOBE_DEPLOYMENT, NIOBE_KAFKA_BROKERS, NIOBE_NAME } = host.config;
    const deployment = await readDeployment(NIOBE_DEPLOYMENT);
    const { clock, logger } = host;
    const eventLog = new KafkaEventLog({
      brokers: NIOBE_KAFKA_BROKERS,
      clientId: NIOBE_NAME,
      clock,
      logger,
      adminDeadlineMs: ADMIN_DEADLINE_MS,
    });
    const service = await startIngest({ deployment }, { ...host, eventLog });
    return {
      ...service,
      drain: async () => {
        await service.drain();
        await eventLog.close();
      },
    };
  },
});
