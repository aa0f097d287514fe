/** From the post of an event to the moment a query shows it, at a steady 5,000 events/s through the collector. */
import { join } from 'node:path';
import { delay, systemClock } from '@niobe/kernel';
import { dataFile, repositoryDir } from '@niobe/testing';
import { CubeClient, LocalSystem, retailLines } from '@niobe/tool-check';
import { NiobeError } from '@niobe/kernel';
import type { BenchGroup } from './bench-group.ts';
import { quantile, type Measure } from './measure.ts';

const RATE_PER_SECOND = 5_000;
const BATCH_EVENTS = 25;
const WARM_UP_SECONDS = 10;
const SECONDS = 20;
const ROUNDS = 3;
const POLL_MS = 2;
const DEADLINE_MS = 120_000;

export const latency: BenchGroup = {
  summary: 'event posted to visible in a query at 5,000 events/s, p50 and p99',
  async run({ rounds }) {
    const deploymentDir = join(repositoryDir, 'infra/deployments/retail');
    const p50: number[] = [];
    const p99: number[] = [];
    for (let round = 0; round < (rounds ?? ROUNDS); round++) {
      const system = await LocalSystem.create({ repositoryDir, deploymentDir });
      try {
        await system.start([system.loader, system.traversal]);
        const sorted = (await latencies(system)).toSorted();
        p50.push(quantile(sorted, 0.5));
        p99.push(quantile(sorted, 0.99));
      } finally {
        await system.destroy();
      }
    }
    const common = { group: 'latency', unit: 'ms', reference: [], against: '' };
    return [
      { ...common, measure: 'posted to visible, p50', candidate: p50 },
      { ...common, measure: 'posted to visible, p99', candidate: p99, goal: { sense: 'at most', value: 150 } },
    ] satisfies Measure[];
  },
};

/** Latency in ms of each event after the warm-up: the k-th post is visible when the total has reached k. */
async function latencies(system: LocalSystem): Promise<Float64Array> {
  const lines = await takeLines(RATE_PER_SECOND * (WARM_UP_SECONDS + SECONDS));
  const postedMs = new Float64Array(lines.length);
  const seenMs = new Float64Array(lines.length);
  const posting = postSteadily(system, lines, postedMs);
  const cubes = new CubeClient(system.analytics.url);
  const endMs = systemClock.monotonicMs() + DEADLINE_MS;
  for (let done = 0; done < lines.length;) {
    const visible = await cubes.total('sales', 'lines');
    const nowMs = systemClock.monotonicMs();
    for (; done < visible; done++) seenMs[done] = nowMs;
    if (nowMs > endMs) throw new NiobeError('DEADLINE', `${done} of ${lines.length} events became visible`);
    await delay(systemClock, POLL_MS);
  }
  await posting;
  return seenMs.map((ms, i) => ms - (postedMs[i] ?? 0)).subarray(RATE_PER_SECOND * WARM_UP_SECONDS);
}

async function takeLines(count: number): Promise<readonly string[]> {
  const file = dataFile('retail/online-retail.csv.gz');
  if (file.path === null) throw new NiobeError('BAD_CONFIG', file.why);
  const lines: string[] = [];
  for await (const line of retailLines(file.path, count)) lines.push(line.json);
  return lines;
}

/** Open loop: batches leave on time whether or not the ones before were answered. */
async function postSteadily(system: LocalSystem, lines: readonly string[], postedMs: Float64Array): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const posts: Promise<void>[] = [];
  for (let at = 0; at < lines.length; at += BATCH_EVENTS) {
    const dueMs = startMs + (at / RATE_PER_SECOND) * 1_000;
    const waitMs = dueMs - systemClock.monotonicMs();
    if (waitMs > 0) await delay(systemClock, waitMs);
    postedMs.fill(systemClock.monotonicMs(), at, at + BATCH_EVENTS);
    posts.push(post(system, `[${lines.slice(at, at + BATCH_EVENTS).join(',')}]`));
  }
  await Promise.all(posts);
}

async function post(system: LocalSystem, body: string): Promise<void> {
  const response = await fetch(`${system.ingest.url}/v1/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await response.arrayBuffer();
  if (response.status !== 202) throw new NiobeError('UNAVAILABLE', `a batch was answered ${response.status}`);
}
