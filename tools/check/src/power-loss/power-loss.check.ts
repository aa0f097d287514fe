import { seededRandom } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import type { Check } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import { oracleGroups } from '../retail/oracle.ts';
import { expectRetailGraph, oracleGraph } from '../retail/retail-graph.ts';
import { RETAIL_ROWS, retailLines } from '../retail/retail-lines.ts';
import { expectRetailGroups, retailFile, retailSystem } from '../retail/retail-system.ts';
import { isAlive } from '../system/process-figures.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';
import { checkDamage } from './damage.ts';

const POWER_LOSSES = 5;
const RATE_PER_SECOND = 10_000;
const VISIBLE_DEADLINE_MS = 300_000;

/** Everything, brokers included, dies at once five times in one replay; afterwards copies are damaged in every way. */
export const powerLoss: Check = {
  summary: 'kill -9 of everything at once, five times in one replay; then flipped bits, cut and deleted copies',
  async run(verdict, options) {
    const rows = Math.min(options.limit, RETAIL_ROWS);
    const oracle = await oracleGroups(retailFile(), rows);
    const purchases = await oracleGraph(rows);
    const system = await retailSystem(options);
    verdict.note(`seed ${options.seed}, scratch folder ${system.dir}`);
    try {
      await system.start();
      await sendUnderPowerLoss(verdict, system, rows, options.seed);
      const cubes = new CubeClient(system.analytics.url);
      await cubes.reaches('sales', 'lines', rows, VISIBLE_DEADLINE_MS);
      await expectRetailGroups(verdict, cubes, oracle);
      await expectRetailGraph(verdict, system, options, purchases);
      await checkDamage(verdict, system, rows, seededRandom(options.seed + 1));
      await expectRetailGroups(verdict, cubes, oracle);
      await expectRetailGraph(verdict, system, options, purchases);
    } finally {
      if (options.keep) await system.killAll();
      else await system.destroy();
    }
  },
};

async function sendUnderPowerLoss(verdict: Verdict, system: LocalSystem, rows: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const losses = Array.from({ length: POWER_LOSSES }, () => Math.floor(rows * (0.05 + 0.9 * random.next()))).toSorted(
    (a, b) => a - b,
  );
  const sender = new BatchSender({ url: system.ingest.url, ratePerSecond: RATE_PER_SECOND });
  let row = 0;
  for await (const line of retailLines(retailFile(), rows)) {
    await sender.add(line);
    if (++row >= (losses[0] ?? Infinity)) {
      losses.shift();
      await losePower(verdict, system, row, sender.acknowledged);
    }
  }
  await sender.close();
}

async function losePower(verdict: Verdict, system: LocalSystem, row: number, acknowledged: number): Promise<void> {
  const cubes = new CubeClient(system.analytics.url);
  const seen = await cubes.total('sales', 'lines');
  const pids = [system.nats.pid, system.kafka.pid, ...system.services.map((service) => service.pid)];
  const live = pids.every(isAlive);
  await system.killAll();
  const dead = !pids.some(isAlive);
  await system.start();
  const visible = await cubes.total('sales', 'lines');
  const detail = `${acknowledged} acknowledged; visible: ${seen} before, ${visible} right after the start`;
  verdict.expect(live && dead && visible >= seen, `power lost at row ${row}; nothing that was shown went back`, detail);
}
