import { delay, systemClock } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import { CubeClient } from '../cube-client.ts';
import { retailLines } from '../retail/retail-lines.ts';
import { retailFile } from '../retail/retail-system.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';

const STOPPED_MS = 60_000;
const RATE_PER_SECOND = 5_000;
/** Rows that no other part of the check has sent. */
const FIRST_ROW = 10_000;
const VISIBLE_DEADLINE_MS = 300_000;

/** One shard stands still (SIGSTOP) for a minute under load: the collector answers 202 or 503, and what it took is counted later. */
export async function checkStoppedShard(verdict: Verdict, system: LocalSystem): Promise<void> {
  const cubes = new CubeClient(system.analytics.url);
  const before = await cubes.total('sales', 'lines');
  const sender = new BatchSender({ url: system.ingest.url, batchEvents: 250, ratePerSecond: RATE_PER_SECOND });
  const [shard] = system.shards;
  shard?.signal('SIGSTOP');
  const stopped = delay(systemClock, STOPPED_MS).then(() => shard?.signal('SIGCONT'));
  let row = 0;
  const rows = (STOPPED_MS / 1_000) * RATE_PER_SECOND;
  for await (const line of retailLines(retailFile(), FIRST_ROW + rows)) if (++row > FIRST_ROW) await sender.add(line);
  await sender.close();
  await stopped;
  const statuses = [...sender.statuses.keys()];
  verdict.expect(
    statuses.every((status) => status === 202 || status === 503),
    'one shard stopped for 60 s: the collector answers 202 or 503 only',
    [...sender.statuses].map(([status, count]) => `${status}: ${count}`).join(', '),
  );
  const expected = before + sender.acknowledged;
  await cubes.reaches('sales', 'lines', expected, VISIBLE_DEADLINE_MS);
  const total = await cubes.total('sales', 'lines');
  verdict.expect(total === expected, 'everything acknowledged meanwhile is counted after SIGCONT', `${total}`);
}
