import { systemClock } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import type { Check, CheckOptions } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';
import { oracleGroups, type CubeView, type Groups } from './oracle.ts';
import { retailLines } from './retail-lines.ts';
import { expectRetailGroups, retailFile, retailSystem } from './retail-system.ts';

const VISIBLE_DEADLINE_MS = 300_000;

/** Figures of one way of feeding the system. */
interface Feed {
  readonly seconds: number;
  readonly events: number;
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

/** All retail rows through the collector, and once more from a full topic, compared with DuckDB group by group. */
export const retail: Check = {
  summary: 'every retail row through the collector; all groups of all cubes equal DuckDB',
  async run(verdict, options) {
    const oracle = await oracleGroups(retailFile(), options.limit);
    const viaCollector: Feed[] = [];
    const fromTopic: Feed[] = [];
    for (let run = 0; run < (options.runs ?? 3); run++) {
      viaCollector.push(await onSystem(verdict, options, oracle, throughCollector));
      fromTopic.push(await onSystem(verdict, options, oracle, fromFullTopic));
    }
    report(verdict, 'through the collector', viaCollector, 10_000);
    report(verdict, 'from a full topic', fromTopic, 30_000);
  },
};

type Feeding = (system: LocalSystem, options: CheckOptions) => Promise<Feed>;

async function onSystem(
  verdict: Verdict,
  options: CheckOptions,
  oracle: ReadonlyMap<CubeView, Groups>,
  feeding: Feeding,
): Promise<Feed> {
  const system = await retailSystem(options);
  try {
    const feed = await feeding(system, options);
    verdict.note(`${feeding.name}: ${feed.events} events in ${feed.seconds.toFixed(1)} s`);
    await expectRetailGroups(verdict, new CubeClient(system.analytics.url), oracle);
    return feed;
  } finally {
    if (!options.keep) await system.destroy();
    else await system.killAll();
  }
}

/** From the first post to the last visible count. */
async function throughCollector(system: LocalSystem, options: CheckOptions): Promise<Feed> {
  await system.start();
  return measure(system, async () => {
    const events = await postAll(system, options.limit);
    await allVisible(system, events);
    return events;
  });
}

/** The topic is filled while analytics is down; measured from its start to the last visible count. */
async function fromFullTopic(system: LocalSystem, options: CheckOptions): Promise<Feed> {
  await system.start([system.analytics]);
  const events = await postAll(system, options.limit);
  return measure(system, async () => {
    system.analytics.start();
    await system.analytics.ready();
    await allVisible(system, events);
    return events;
  });
}

async function postAll(system: LocalSystem, limit: number): Promise<number> {
  const sender = new BatchSender({ url: system.ingest.url });
  for await (const line of retailLines(retailFile(), limit)) await sender.add(line);
  await sender.close();
  return sender.acknowledged;
}

async function allVisible(system: LocalSystem, events: number): Promise<void> {
  await new CubeClient(system.analytics.url).reaches('sales', 'lines', events, VISIBLE_DEADLINE_MS);
}

async function measure(system: LocalSystem, feed: () => Promise<number>): Promise<Feed> {
  const before = system.cpuSeconds();
  const startMs = systemClock.monotonicMs();
  const events = await feed();
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  const after = system.cpuSeconds();
  const cpuSeconds = Object.fromEntries(
    Object.entries(after).map(([name, used]) => [name, used - (before[name] ?? 0)]),
  );
  return { seconds, events, cpuSeconds };
}

function report(verdict: Verdict, way: string, feeds: readonly Feed[], goal: number): void {
  const median = feeds.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(feeds.length / 2)];
  if (median === undefined) return;
  const rate = Math.round(median.events / median.seconds);
  verdict.note(
    `${way}: ${rate} events/s, median of ${feeds.length} (goal ${goal}: ${rate >= goal ? 'reached' : 'missed'})`,
  );
  const cpu = Object.entries(median.cpuSeconds).map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`);
  verdict.note(`  CPU seconds: ${cpu.join(', ')}`);
}
