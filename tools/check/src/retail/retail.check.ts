import { systemClock } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import type { Check, CheckOptions } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';
import { untilLoaded } from './loader-progress.ts';
import { oracleGroups, type CubeView, type Groups } from './oracle.ts';
import { expectRetailGraph, oracleGraph, type RetailGraph } from './retail-graph.ts';
import { retailLines } from './retail-lines.ts';
import { expectRetailGroups, retailFile, retailSystem } from './retail-system.ts';

const VISIBLE_DEADLINE_MS = 300_000;

/** Figures of one way of feeding the system. */
interface Feed {
  readonly seconds: number;
  /** Until the cubes were complete, where the graph was waited for too. */
  readonly cubesSeconds?: number;
  readonly events: number;
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

/** What DuckDB says of the rows. */
interface Oracle {
  readonly groups: ReadonlyMap<CubeView, Groups>;
  readonly graph: RetailGraph;
}

/** All retail rows through the collector, and again from a full topic, compared with DuckDB: cubes by group, graph by vertex and edge. */
export const retail: Check = {
  summary: 'every retail row through the collector and from a full topic; cubes, edges and "also bought" equal DuckDB',
  async run(verdict, options) {
    const oracle = { groups: await oracleGroups(retailFile(), options.limit), graph: await oracleGraph(options.limit) };
    const feeds = WAYS.map(() => [] as Feed[]);
    for (let run = 0; run < (options.runs ?? 3); run++)
      for (const [i, way] of WAYS.entries()) feeds[i]?.push(await onSystem(verdict, options, oracle, way));
    for (const [i, way] of WAYS.entries()) report(verdict, way, feeds[i] ?? []);
  },
};

/** One way of feeding a system that was created for it. */
interface Way {
  readonly name: string;
  /** Events/s to reach. */
  readonly goal: number;
  /** Whether the loader runs, so that there is a graph to compare. */
  readonly isLoading: boolean;
  feed(system: LocalSystem, options: CheckOptions): Promise<Feed>;
}

const WAYS: readonly Way[] = [
  { name: 'through the collector', goal: 10_000, isLoading: true, feed: throughCollector },
  { name: 'from a full topic, cubes alone', goal: 30_000, isLoading: false, feed: fromFullTopic },
  { name: 'from a full topic, cubes and graph', goal: 15_000, isLoading: true, feed: fromFullTopicWithLoader },
];

async function onSystem(verdict: Verdict, options: CheckOptions, oracle: Oracle, way: Way): Promise<Feed> {
  const system = await retailSystem(options);
  try {
    const feed = await way.feed(system, options);
    verdict.note(`${way.name}: ${feed.events} events in ${feed.seconds.toFixed(1)} s`);
    await expectRetailGroups(verdict, new CubeClient(system.analytics.url), oracle.groups);
    if (way.isLoading) await expectRetailGraph(verdict, system, options, oracle.graph);
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
  await system.start([system.analytics, system.loader]);
  const events = await postAll(system, options.limit);
  return measure(system, async () => {
    system.analytics.start();
    await system.analytics.ready();
    await allVisible(system, events);
    return events;
  });
}

/** The same with the loader, down meanwhile too; measured until the last count is visible and the last edge is in. */
async function fromFullTopicWithLoader(system: LocalSystem, options: CheckOptions): Promise<Feed> {
  await system.start([system.analytics, system.loader]);
  const events = await postAll(system, options.limit);
  const startMs = systemClock.monotonicMs();
  let cubesSeconds = 0;
  const cubes = async (): Promise<void> => {
    await allVisible(system, events);
    cubesSeconds = (systemClock.monotonicMs() - startMs) / 1_000;
  };
  const feed = await measure(system, async () => {
    const both = [system.analytics, system.loader];
    for (const service of both) service.start();
    await Promise.all(both.map((service) => service.ready()));
    await Promise.all([cubes(), untilLoaded(system.loader, events)]);
    return events;
  });
  return { ...feed, cubesSeconds };
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

function report(verdict: Verdict, { name, goal }: Way, feeds: readonly Feed[]): void {
  const median = feeds.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(feeds.length / 2)];
  if (median === undefined) return;
  const rate = Math.round(median.events / median.seconds);
  verdict.note(
    `${name}: ${rate} events/s, median of ${feeds.length} (goal ${goal}: ${rate >= goal ? 'reached' : 'missed'})`,
  );
  if (median.cubesSeconds !== undefined)
    verdict.note(`  the cubes alone: ${Math.round(median.events / median.cubesSeconds)} events/s`);
  const cpu = Object.entries(median.cpuSeconds).map(([service, seconds]) => `${service} ${seconds.toFixed(1)}`);
  verdict.note(`  CPU seconds: ${cpu.join(', ')}`);
}
