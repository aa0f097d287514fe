import { readDeployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { connectNats, type NatsGrid } from '@niobe/nats';
import { keepTrying, runService, type ServiceHost } from '@niobe/service';
import type { z } from 'zod';
import { CONNECTIONS_MAX } from './collector/limits.ts';
import { configSchema } from './config.ts';
import { loads, startIngest } from './service.ts';

/** Start-up says what it waits for after so long. */
const ADMIN_DEADLINE_MS = 2_000;
/** How long one attempt to reach NATS takes; it is repeated while NATS is away. */
const CONNECT_TIMEOUT_MS = 3_000;

await runService({
  name: 'ingest',
  configSchema,
  connectionsMax: CONNECTIONS_MAX,
  start: async (host) => {
    const { NIOBE_DEPLOYMENT, NIOBE_KAFKA_BROKERS, NIOBE_NAME, NIOBE_ROLES } = host.config;
    const { clock, logger } = host;
    const config = { deployment: await readDeployment(NIOBE_DEPLOYMENT), roles: NIOBE_ROLES };
    const grid = loads(config) ? await connectGrid(host, config.deployment.name) : null;
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

function connectGrid(host: ServiceHost<z.infer<typeof configSchema>>, deployment: string): Promise<NatsGrid> {
  const { config, clock, random, logger } = host;
  const url = config.NIOBE_NATS_URL;
  return keepTrying(host, `NATS at ${url}`, () =>
    connectNats({
      servers: [url],
      name: config.NIOBE_NAME,
      deployment,
      replicas: 1,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      clock,
      random,
      logger,
    }),
  );
}
