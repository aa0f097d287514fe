import { readDeployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { connectNats, natsOptionsOf, type NatsGrid } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { CONNECTIONS_MAX } from './collector/limits.ts';
import { configSchema } from './config.ts';
import { loads, startIngest } from './service.ts';

/** Start-up says what it waits for after so long. */
const ADMIN_DEADLINE_MS = 2_000;
await runService({
  name: 'ingest',
  configSchema,
  connectionsMax: CONNECTIONS_MAX,
  start: async (host) => {
    const { NIOBE_DEPLOYMENT, NIOBE_KAFKA_BROKERS, NIOBE_NAME, NIOBE_NATS_URL, NIOBE_ROLES } = host.config;
    const { clock, logger } = host;
    const config = { deployment: await readDeployment(NIOBE_DEPLOYMENT), roles: NIOBE_ROLES };
    const connect = (): Promise<NatsGrid> => connectNats(natsOptionsOf(host, config.deployment.name));
    const grid = loads(config) ? await keepTrying(host, `NATS at ${NIOBE_NATS_URL}`, connect) : null;
    const eventLog = new KafkaEventLog({
      brokers: NIOBE_KAFKA_BROKERS,
      clientId: NIOBE_NAME,
      clock,
      logger,
      adminDeadlineMs: ADMIN_DEADLINE_MS,
    });
    const service = await startIngest(config, { ...host, eventLog, grid });
    return {
      ...service,
      drain: async () => {
        await service.drain();
        await eventLog.close();
        await grid?.close();
      },
    };
  },
});
