import { readDeployment } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { connectNats } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { configSchema } from './config.ts';
import { startShard } from './service.ts';

/** How long one attempt to reach NATS takes; it is repeated while NATS is away. */
const CONNECT_TIMEOUT_MS = 3_000;

await runService({
  name: 'storage-shard',
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
    const shard = await startShard(
      {
        name: config.NIOBE_NAME,
        deployment: deployment.name,
        shards: deployment.shards,
        partitions: deployment.partitions,
        backups: config.NIOBE_BACKUPS,
        storeBytes: config.NIOBE_STORE_BYTES,
        cells: deployment.cells,
        edges: compileEdgeTypes(deployment.edges, deployment.cells),
      },
      { ...host, bus: grid.bus, maps: grid.maps },
    );
    return {
      readiness: () => shard.readiness(),
      drain: async () => {
        await shard.drain();
        await grid.close();
      },
    };
  },
});
