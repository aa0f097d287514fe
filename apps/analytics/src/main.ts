import { readDeployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { connectNats } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { cubesToRebuild } from './arguments.ts';
import { configSchema } from './config.ts';
import { startAnalytics } from './service.ts';

/** How long one attempt to reach NATS takes; it is repeated while NATS is away. */
const CONNECT_TIMEOUT_MS = 3_000;

await runService({
  name: 'analytics',
  configSchema,
  start: async (host) => {
    const { config, clock, random, logger } = host;
    const rebuild = cubesToRebuild(process.argv.slice(2));
    const deployment = await readDeployment(config.NIOBE_DEPLOYMENT);
    const url = config.NIOBE_NATS_URL;
    const grid = await keepTrying(host, `NATS at ${url}`, () =>
      connectNats({
        servers: [url],
        name: config.NIOBE_NAME,
        deployment: deployment.name,
        replicas: 1,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        clock,
        random,
        logger,
      }),
    );
    const eventLog = new KafkaEventLog({
      brokers: config.NIOBE_KAFKA_BROKERS,
      clientId: config.NIOBE_NAME,
      clock,
      logger,
    });
    const service = await startAnalytics(
      { deployment, rebuild },
      { ...host, bus: grid.bus, maps: grid.maps, eventLog },
    );
    return {
      ...service,
      drain: async () => {
        await service.drain();
        await eventLog.close();
        await grid.close();
      },
    };
  },
});
