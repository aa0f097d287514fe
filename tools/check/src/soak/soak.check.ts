import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, until } from '@niobe/kernel';
import { ClickGenerator, CollectorClient } from '@niobe/tool-clickgen';
import type { Check } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import { LocalSystem } from '../system/local-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import type { Verdict } from '../verdict.ts';

const STORE_BYTES = 128 * 1024 * 1024;
const RATE_PER_SECOND = 2_000;
const MINUTES = 10;
const SETTLED_AFTER_MINUTES = 2;
const LOOKS_A_MINUTE = 20;
const MAX_GROWTH = 1.1;
/** Journal parts, the log of an arena and its segments waiting to be freed: what a backup may need for both shards. */
const MAX_BACKUP_BYTES = 2 * 2 * STORE_BYTES + 512 * 1024 * 1024;
const VISIBLE_DEADLINE_MS = 120_000;

interface Sample {
  readonly minute: number;
  readonly residentBytes: ReadonlyMap<string, number>;
  readonly backupBytes: number;
}

/** Small shards under a steady load for ten minutes: memory and folders stay bounded, counts stay exact. */
export const soak: Check = {
  summary: 'shards of 128 MiB at 2,000 events/s for 10 minutes: bounded memory and folders, exact counts',
  async run(verdict, options) {
    const minutes = options.runs ?? MINUTES;
    const deploymentDir = join(options.repositoryDir, 'infra/deployments/shop');
    const system = await LocalSystem.create({
      repositoryDir: options.repositoryDir,
      deploymentDir,
      storeBytes: STORE_BYTES,
    });
    verdict.note(`seed ${options.seed}, ${minutes} minutes, scratch folder ${system.dir}`);
    try {
      await system.start();
      const generator = clicks(system, options.seed, minutes);
      const samples = await sampleWhile(verdict, system, generator.run());
      expectBounded(verdict, system, samples);
      await expectExact(verdict, system, generator);
    } finally {
      if (options.keep) await system.killAll();
      else await system.destroy();
    }
  },
};

function clicks(system: LocalSystem, seed: number, minutes: number): ClickGenerator {
  const target = new CollectorClient({ url: system.ingest.url, clock: systemClock });
  const count = RATE_PER_SECOND * 60 * minutes;
  return new ClickGenerator({ seed, ratePerSecond: RATE_PER_SECOND, target, clock: systemClock, count });
}

async function sampleWhile(verdict: Verdict, system: LocalSystem, run: Promise<void>): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  let running = true;
  const done = run.finally(() => (running = false));
  for (let minute = 1; running; minute++) {
    const looks: Map<string, number>[] = [];
    for (let look = 0; look < LOOKS_A_MINUTE && running; look++) {
      const endMs = systemClock.monotonicMs() + 60_000 / LOOKS_A_MINUTE;
      await until(systemClock, () => !running || systemClock.monotonicMs() >= endMs, 60_000, 'the next look', 200);
      looks.push(residentNow(system));
    }
    if (looks.length < LOOKS_A_MINUTE / 2) continue;
    samples.push(sample(system, minute, looks));
    verdict.note(describe(samples.at(-1)));
  }
  await done;
  return samples;
}

function residentNow(system: LocalSystem): Map<string, number> {
  return new Map(system.services.map((service) => [service.name, service.residentBytes]));
}

/** Memory as the mean of a minute: between two collections of garbage it goes up and down. */
function sample(system: LocalSystem, minute: number, looks: readonly ReadonlyMap<string, number>[]): Sample {
  const mean = (name: string): number => looks.reduce((sum, look) => sum + (look.get(name) ?? 0), 0) / looks.length;
  const residentBytes = new Map(system.services.map(({ name }) => [name, mean(name)]));
  return {
    minute,
    residentBytes,
    backupBytes: Math.max(...system.backups.map((backup) => folderBytes(system, backup))),
  };
}

function folderBytes(system: LocalSystem, backup: ServiceProcess): number {
  const dir = join(system.dir, backup.name);
  let bytes = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).size;
    } catch {
      // A segment that was freed between the listing and the look.
    }
  }
  return bytes;
}

function describe(taken: Sample | undefined): string {
  if (taken === undefined) return '';
  const memory = [...taken.residentBytes].map(([name, bytes]) => `${name} ${mib(bytes)}`);
  return `minute ${taken.minute}: ${memory.join(', ')} MiB resident; largest backup folder ${mib(taken.backupBytes)} MiB`;
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

function expectBounded(verdict: Verdict, system: LocalSystem, samples: readonly Sample[]): void {
  const settled = samples.find((one) => one.minute === SETTLED_AFTER_MINUTES + 1) ?? samples[0];
  const last = samples.at(-1);
  for (const { name } of system.services) {
    const [before, after] = [settled?.residentBytes.get(name) ?? 0, last?.residentBytes.get(name) ?? 0];
    verdict.expect(
      before > 0 && after <= before * MAX_GROWTH,
      `${name}: memory grows at most 10 %`,
      `${mib(before)} -> ${mib(after)} MiB`,
    );
  }
  verdict.expect(
    (last?.backupBytes ?? Infinity) < MAX_BACKUP_BYTES,
    'backup folders are bounded',
    `${mib(last?.backupBytes ?? 0)} MiB`,
  );
}

async function expectExact(verdict: Verdict, system: LocalSystem, generator: ClickGenerator): Promise<void> {
  const { acknowledged } = generator;
  const cubes = new CubeClient(system.analytics.url);
  await cubes.reaches('product_activity', 'events', acknowledged.events, VISIBLE_DEADLINE_MS);
  const total = await cubes.total('product_activity', 'events');
  verdict.expect(
    total === acknowledged.events,
    'all acknowledged events are counted once',
    `${acknowledged.events} sent, ${total} counted`,
  );
  const metrics = await Promise.all(system.shards.map(async (shard) => (await fetch(`${shard.url}/metrics`)).text()));
  const full = metrics.some((text) => /store_full_total(?:\{.*\})? [1-9]/.test(text));
  verdict.expect(!full, 'no write met STORE_FULL');
}
