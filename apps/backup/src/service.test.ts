import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NiobeError, seededRandom, silentLogger, silentMeter, systemClock, until, type Logger } from '@niobe/kernel';
import { MemoryNetwork, type MemoryBus } from '@niobe/grid';
import { BackupClient, MemoryBackupStore, type DamageReport } from '@niobe/replication';
import type { RunningService } from '@niobe/service';
import { startBackup } from './service.ts';

const CONFIG = { name: 'backup-0', deployment: 'test' };
const ATTEMPT = { epoch: 1, owner: 'shard-0@1' };

class Lines {
  readonly errors: string[] = [];
  readonly logger: Logger = { ...silentLogger, error: (_, message) => this.errors.push(message) };
}

describe('the backup service', () => {
  const network = new MemoryNetwork({ clock: systemClock });
  let bus: MemoryBus;
  let client: BackupClient;
  let backupStore: MemoryBackupStore;
  let service: RunningService | null = null;

  beforeEach(() => {
    bus = network.connect();
    client = new BackupClient(network.connect(), CONFIG.deployment, CONFIG.name);
    backupStore = new MemoryBackupStore();
  });
  afterEach(async () => {
    await service?.drain();
    await bus.close();
  });

  async function start(
    logger: Logger = silentLogger,
    onFailure: (error: NiobeError) => void = () => {},
  ): Promise<void> {
    const random = seededRandom(1);
    const parts = { bus, backupStore, clock: systemClock, random, logger, meter: silentMeter, onFailure };
    service = await startBackup(CONFIG, parts);
  }

  it('is ready and answers', async () => {
    await start();
    expect(service!.readiness()).toEqual({ ready: true, reason: '' });
    expect(await client.register(3, ATTEMPT)).toMatchObject({ kind: 'OK' });
    expect((await client.inventory(3)).promised).toEqual(ATTEMPT);
  });

  it('says at the start what is damaged', async () => {
    const damage: DamageReport = {
      file: 'segments/3/1-1.segment',
      fileOffset: 5,
      partition: 3,
      segment: 1,
      offset: 1,
      message: 'partition 3, segment 1, offset 1',
    };
    Object.assign(backupStore, { damage: [damage] });
    const lines = new Lines();
    await start(lines.logger);
    expect(lines.errors).toEqual(['damage found at the start: partition 3, segment 1, offset 1']);
  });

  it('is not ready while the disk is full, and says so', async () => {
    await start();
    const full = new NiobeError('DISK_FULL', 'no space is left in /data');
    backupStore.prepare = () => Promise.reject(full);
    await expect(client.register(3, ATTEMPT)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(service!.readiness()).toEqual({ ready: false, reason: 'no space is left in /data' });
    backupStore.prepare = () => Promise.resolve();
    await client.register(3, ATTEMPT);
    expect(service!.readiness().ready).toBe(true);
  });

  it('asks for its end when the disk has failed', async () => {
    const failures: NiobeError[] = [];
    await start(silentLogger, (error) => failures.push(error));
    backupStore.sync = () => Promise.reject(new NiobeError('UNAVAILABLE', 'the disk is gone'));
    await expect(client.register(3, ATTEMPT)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.register(3, ATTEMPT)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(failures.map(({ message }) => message)).toEqual(['the disk is gone']);
    expect(service!.readiness()).toEqual({ ready: false, reason: 'the disk is gone' });
  });

  it('is not ready while the bus is away', async () => {
    await start();
    await bus.close();
    await until(systemClock, () => !service!.readiness().ready, 5_000, 'noticing the bus');
    expect(service!.readiness().reason).toContain('NATS');
  });

  it('answers what waits, and then nobody, when it is drained', async () => {
    await start();
    const answers = [1, 2, 3].map((partition) => client.register(partition, ATTEMPT));
    await until(systemClock, () => backupStore.partitions().length > 0, 5_000, 'the first round', 1);
    await service!.drain();
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['OK', 'OK', 'OK']);
    await expect(client.register(4, ATTEMPT)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
