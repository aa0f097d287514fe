import { readDeployment } from '@niobe/events';
import { KafkaEventLog } from '@niobe/kafka';
import { connectNats, natsOptionsOf } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { cubesToRebuild } from './arguments.ts';
import { configSchema } from './config.ts';
import { startAnalytics } from './service.ts';

await runService({
  name: 'analytics',
  configSchema,
  start: async (host) => {
    const { config, clock, logger } = host;
    const rebuild = cubesToRebuild(process.argv.slice(2));
    const deployment = await readDeployment(config.NIOBE_DEPLOYMENT);
    const url = config.NIOBE_NATS_URL;
    const grid = await keepTrying(host, `NATS at ${url}`, () => connectNats(natsOptionsOf(host, deployment.name)));
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
