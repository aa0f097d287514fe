import { DiskBackupStore } from '@niobe/disk';
import { readDeployment } from '@niobe/events';
import { connectNats, natsOptionsOf } from '@niobe/nats';
import { keepTrying, runService } from '@niobe/service';
import { configSchema } from './config.ts';
import { startBackup } from './service.ts';

/** Ends the process: the host logs it and exits, and the next start recovers from the disk. */
function end(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}

await runService({
  name: 'backup',
  configSchema,
  start: async (host) => {
    const { config, logger, meter } = host;
    const { NIOBE_NAME: name, NIOBE_NATS_URL: url, NIOBE_DATA_DIR: folder } = config;
    const { name: deployment } = await readDeployment(config.NIOBE_DEPLOYMENT);
    host.starting(`reading the journal in ${folder}`);
    const backupStore = await DiskBackupStore.open({ folder, logger, meter });
    const grid = await keepTrying(host, `NATS at ${url}`, () => connectNats(natsOptionsOf(host, deployment)));
    const service = await startBackup({ name, deployment }, { ...host, bus: grid.bus, backupStore, onFailure: end });
    return {
      ...service,
      drain: async () => {
        await service.drain();
        await grid.close();
      },
    };
  },
});
