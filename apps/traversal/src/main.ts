import { readDeployment } from '@niobe/events';
import { connectNats, natsOptionsOf } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { configSchema } from './config.ts';
import { startTraversal } from './service.ts';

await runService({
  name: 'traversal',
  configSchema,
  start: async (host) => {
    const { config } = host;
    const deployment = await readDeployment(config.NIOBE_DEPLOYMENT);
    const url = config.NIOBE_NATS_URL;
    const grid = await keepTrying(host, `NATS at ${url}`, () => connectNats(natsOptionsOf(host, deployment.name)));
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
