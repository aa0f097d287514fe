import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SchemaTable, type CompiledSchema } from '@niobe/cells';
import { GridClient, PartitionTable, SchemaCatalogue } from '@niobe/grid';
import { seededRandom, silentLogger, silentMeter, systemClock, systemRandom, until } from '@niobe/kernel';
import { connectNats, type NatsGrid } from '@niobe/nats';
import { BackupServer, MemoryBackupStore } from '@niobe/replication';
import { describeWithLocalNats, freePort, KillableNats } from '@niobe/testing';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const DEPLOYMENT = 'process-test';
const PARTITIONS = 8;
const COUNTS = { name: 'counts', key: 'text', fields: { count: { type: 'u64', merge: 'add' } } } as const;

/** A deployment folder with one shard and the least that a deployment must declare. */
function writeDeployment(partitions: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'niobe-deployment-'));
  const topic = { name: 'clicks', partitions: 1, records: 'flat' };
  const event = { type: 'click', topic: 'clicks', key: null, fields: { page: { type: 'text' } } };
  const deployment = { name: DEPLOYMENT, shards: ['shard-0'], partitions, topics: [topic] };
  for (const part of ['events', 'cells', 'cubes']) mkdirSync(join(folder, part));
  writeFileSync(join(folder, 'deployment.json'), JSON.stringify(deployment));
  writeFileSync(join(folder, 'events', 'click.json'), JSON.stringify(event));
  return folder;
}

/** The process of a shard. */
class ShardProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly port: number;
  output = '';

  constructor(natsUrl: string, folder: string, port: number) {
    this.port = port;
    this.child = spawn(process.execPath, ['--conditions=@niobe/source', '--no-warnings', MAIN], {
      env: {
        NIOBE_DEPLOYMENT: folder,
        NIOBE_NATS_URL: natsUrl,
        NIOBE_HTTP_PORT: String(port),
        NIOBE_BACKUPS: 'backup-0,backup-1',
        NIOBE_STORE_BYTES: '64MiB',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (data) => (this.output += String(data)));
    this.exit = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
  }

  async answer(path: string): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
      return { status: response.status, text: await response.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }

  /** Waits until `/readyz` answers so; throws with what the process said when it ended instead. */
  until(status: number, what: string): Promise<void> {
    const holds = async (): Promise<boolean> => {
      if (this.child.exitCode !== null) throw new Error(`${what}: the process ended with ${this.output}`);
      return (await this.answer('/readyz')).status === status;
    };
    return until(systemClock, holds, 30_000, what);
  }
}

describeWithLocalNats('the process of a shard', () => {
  const folder = writeDeployment(PARTITIONS);
  const running: ShardProcess[] = [];
  let nats: KillableNats;
  let grid: NatsGrid;
  let client: GridClient;
  let schema: CompiledSchema;

  const start = async (): Promise<ShardProcess> => {
    const shard = new ShardProcess(nats.url, folder, await freePort());
    running.push(shard);
    return shard;
  };

  beforeAll(async () => {
    nats = await KillableNats.start();
    grid = await connectNats({
      servers: [nats.url],
      name: 'test',
      deployment: DEPLOYMENT,
      replicas: 1,
      connectTimeoutMs: 10_000,
      clock: systemClock,
      random: systemRandom(),
      logger: silentLogger,
    });
    for (const name of ['backup-0', 'backup-1'])
      new BackupServer({
        bus: grid.bus,
        store: new MemoryBackupStore(),
        deployment: DEPLOYMENT,
        name,
        clock: systemClock,
        random: seededRandom(1),
      }).start();
  }, 60_000);
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL');
    await grid.close();
    await nats.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('recovers after kill -9, drains on SIGTERM, shows its metrics', async () => {
    const first = await start();
    await first.until(200, 'the first start');
    const table = await PartitionTable.open({ maps: grid.maps, partitions: PARTITIONS, logger: silentLogger });
    const catalogue = await SchemaCatalogue.open({ maps: grid.maps, schemas: new SchemaTable(), logger: silentLogger });
    [schema] = (await catalogue.ensure([COUNTS])) as [CompiledSchema];
    const options = { bus: grid.bus, table, clock: systemClock, random: systemRandom() };
    client = new GridClient({ ...options, deployment: DEPLOYMENT, meter: silentMeter });
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.merge(schema, `p${i}`, { count: i })));
    const { text } = await first.answer('/metrics');
    expect(text).toMatch(/niobe_storage_shard_live_cells [5-9]\d\d/);
    expect(text).toMatch(/niobe_storage_shard_operations_total\{kind="write"\} 500/);
    expect(text).toMatch(/niobe_storage_shard_owned_partitions\{state="serving"\} 8/);
    first.child.kill('SIGKILL');
    await first.exit;
    const second = await start();
    await second.until(200, 'the second start');
    expect((await client.get(schema, 'p499'))?.record['count']).toBe(499);
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
    expect(second.output).toContain('"stopped"');
  }, 90_000);

  it('is not ready while NATS is away, and goes on with what it had', async () => {
    const shard = await start();
    await shard.until(200, 'the start');
    await nats.kill();
    await shard.until(503, 'NATS being missed');
    expect((await shard.answer('/readyz')).text).toContain('NATS is away');
    await nats.restart();
    await shard.until(200, 'NATS being back');
    await client.merge(schema, 'p1', { count: 5 }, { deadlineMs: 20_000 });
    expect((await client.get(schema, 'p1'))?.record['count']).toBe(6);
    shard.child.kill('SIGKILL');
    await shard.exit;
  }, 90_000);

  it('says what it waits for while NATS is away at the start, and rebuilds what NATS lost', async () => {
    await nats.kill();
    const shard = await start();
    await until(
      systemClock,
      async () => (await shard.answer('/startupz')).text.includes('waiting for NATS'),
      30_000,
      'the reason',
    );
    await nats.restartEmpty();
    await shard.until(200, 'the start');
    expect(shard.output).toContain('NATS has lost its store');
    expect((await client.get(schema, 'p499', { deadlineMs: 20_000 }))?.record['count']).toBe(499);
    shard.child.kill('SIGTERM');
    await shard.exit;
  }, 90_000);

  it('refuses a deployment with another number of partitions: exit 78', async () => {
    const other = writeDeployment(2 * PARTITIONS);
    const shard = new ShardProcess(nats.url, other, await freePort());
    running.push(shard);
    expect(await shard.exit).toBe(78);
    expect(shard.output).toContain('8 partitions are recorded, 16 are configured');
    rmSync(other, { recursive: true, force: true });
  }, 60_000);
});
