import { readDeployment } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { connectNats, natsOptionsOf } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { configSchema } from './config.ts';
import { startShard } from './service.ts';

await runService({
  name: 'storage-shard',
  configSchema,
  start: async (host) => {
    const { config } = host;
    const deployment = await readDeployment(config.NIOBE_DEPLOYMENT);
    const url = config.NIOBE_NATS_URL;
    const grid = await keepTrying(host, `NATS at ${url}`, () => connectNats(natsOptionsOf(host, deployment.name)));
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
      routes: shard.routes,
      readiness: () => shard.readiness(),
      drain: async () => {
        await shard.drain();
        await grid.close();
      },
    };
  },
});
