/**
 * The retail cubes of one topic, exactly once: Niobe beside Kafka Streams (exactly_once_v2, one thread) on the same broker and topic.
 * Both count from the first event folded to the last one visible; the events are in the topic before.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { NiobeError, systemClock, until } from '@niobe/kernel';
import { brokerSources, repositoryDir } from '@niobe/testing';
import { CubeClient, LocalSystem, runPeer } from '@niobe/tool-check';
import type { BenchGroup } from './bench-group.ts';
import { interleaved, type Measure } from './measure.ts';

/**
 * Events that count of the peer's 541,909: it numbers lines anew where an invoice is interrupted, so four ids come twice, and two of one
 * id meet in a Kafka partition.
 */
const EVENTS = 541_908;
const ROUNDS = 3;
const VISIBLE_DEADLINE_MS = 300_000;
const TOPIC = 'retail-1';
const PLAN = 'catchup:eos:1:rocksdb';

interface Figures {
  readonly perSecond: number;
  readonly perCoreSecond: number;
}

export const stream: BenchGroup = {
  summary: 'topic to visible aggregate: events/s and events per core-second, beside Kafka Streams exactly-once',
  async run({ rounds }) {
    const deploymentDir = join(repositoryDir, 'tools/bench/deployments/retail-minutes');
    const system = await LocalSystem.create({ repositoryDir, deploymentDir });
    try {
      await system.kafka.start();
      await runPeer('kafka-streams', ['warm'], peerEnvironment(system));
      useArrivalTimes(system);
      const niobe: Figures[] = [];
      const streams: Figures[] = [];
      const keep = async (list: Figures[], work: Promise<Figures>): Promise<number> => list.push(await work);
      await interleaved(
        rounds ?? ROUNDS,
        () => keep(niobe, runNiobe(system)),
        () => keep(streams, runStreams(system)),
      );
      return measures(niobe, streams);
    } finally {
      await system.destroy();
    }
  },
};

function peerEnvironment(system: LocalSystem): Record<string, string> {
  return { KAFKA_BOOTSTRAP: system.kafka.address, TOPIC, COPIES: '1' };
}

/** The peer makes the topic with Kafka's default, the producer's clock; Niobe counts ages from arrival and asks for it. */
function useArrivalTimes(system: LocalSystem): void {
  const { kafka } = brokerSources();
  if (kafka.kind !== 'jars')
    throw new NiobeError('UNAVAILABLE', 'this benchmark needs the Kafka that npm run setup provides');
  const change = ['--alter', '--entity-type', 'topics', '--entity-name', TOPIC];
  const config = ['--add-config', 'message.timestamp.type=LogAppendTime'];
  execFileSync(
    kafka.java,
    [
      '-cp',
      join(kafka.lib, '*'),
      'kafka.admin.ConfigCommand',
      '--bootstrap-server',
      system.kafka.address,
      ...change,
      ...config,
    ],
    { stdio: 'ignore' },
  );
}

async function runStreams(system: LocalSystem): Promise<Figures> {
  const figures = await runPeer('kafka-streams', [PLAN], peerEnvironment(system));
  const name = PLAN.replaceAll(':', '_');
  return { perSecond: Number(figures[name]), perCoreSecond: Number(figures[`${name}_per_cpu_s`]) };
}

/** A new grid each time; only the topic stays. */
async function runNiobe(system: LocalSystem): Promise<Figures> {
  for (const part of [system.nats.name, ...system.backups.map(({ name }) => name)]) {
    rmSync(join(system.dir, part), { recursive: true, force: true });
  }
  await system.start([system.ingest, system.loader, system.traversal]);
  const cubes = new CubeClient(system.analytics.url);
  await until(
    systemClock,
    async () => (await cubes.total('sales', 'orders')) > 0,
    VISIBLE_DEADLINE_MS,
    'the first event',
    5,
  );
  const first = await cubes.total('sales', 'orders');
  const [startMs, cpuBefore] = [systemClock.monotonicMs(), coreSeconds(system)];
  await cubes.reaches('sales', 'orders', EVENTS, VISIBLE_DEADLINE_MS);
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  const used = coreSeconds(system) - cpuBefore;
  await Promise.all(system.services.map((service) => service.kill()));
  await system.nats.kill();
  return { perSecond: (EVENTS - first) / seconds, perCoreSecond: (EVENTS - first) / used };
}

/** CPU of the aggregator and the shards: what Kafka Streams does in its one process. */
function coreSeconds(system: LocalSystem): number {
  return [system.analytics, ...system.shards].reduce((sum, service) => sum + service.cpuSeconds, 0);
}

function measures(niobe: readonly Figures[], streams: readonly Figures[]): readonly Measure[] {
  const common = { group: 'stream', against: 'Kafka Streams, exactly_once_v2' };
  const of = (key: keyof Figures): Pick<Measure, 'candidate' | 'reference'> => ({
    candidate: niobe.map((figures) => figures[key]),
    reference: streams.map((figures) => figures[key]),
  });
  return [
    {
      ...common,
      measure: 'events per core-second',
      unit: 'events/s',
      ...of('perCoreSecond'),
      goal: { sense: 'at least', value: 2 },
    },
    { ...common, measure: 'wall rate', unit: 'events/s', ...of('perSecond'), goal: { sense: 'at least', value: 1.5 } },
  ];
}
