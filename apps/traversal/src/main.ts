import { readDeployment } from '@niobe/events';
import { connectNats } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { configSchema } from './config.ts';
import { startTraversal } from './service.ts';

/** How long one attempt to reach NATS takes; it is repeated while NATS is away. */
const CONNECT_TIMEOUT_MS = 3_000;

await runService({
  name: 'traversal',
  configSchema,
  start: async (host) => {
    const { config, clock, random, logger } = host;
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
    const service = await startTraversal(deployment, { ...host, bus: grid.bus, maps: grid.maps });
    return {
      ...service,
      drain: async () => {
        await service.drain();
        await grid.close();
      },
    };
  },
});
