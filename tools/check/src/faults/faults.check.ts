import { assert, seededRandom, systemClock, until } from '@niobe/kernel';
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
import { faultPlan, type Fault } from './fault-plan.ts';
import { withRepeats } from './repeats.ts';

const RATE_PER_SECOND = 8_000;
const PROGRESS_DEADLINE_MS = 120_000;
const VISIBLE_DEADLINE_MS = 300_000;

/** The retail rows with repeats, while every kind of process is killed at seeded moments; cubes and graph must equal DuckDB's. */
export const faults: Check = {
  summary: 'the same with repeated events, while services and brokers are killed (-9) at seeded moments',
  async run(verdict, options) {
    const rows = Math.min(options.limit, RETAIL_ROWS);
    const oracle = await oracleGroups(retailFile(), rows);
    const purchases = await oracleGraph(rows);
    const random = seededRandom(options.seed);
    const system = await retailSystem(options);
    verdict.note(`seed ${options.seed}, scratch folder ${system.dir}`);
    try {
      await system.start();
      await sendUnderFaults(verdict, system, rows, options.seed, faultPlan(system, rows, random));
      const cubes = new CubeClient(system.analytics.url);
      await cubes.reaches('sales', 'lines', rows, VISIBLE_DEADLINE_MS);
      await expectRetailGroups(verdict, cubes, oracle);
      await expectRetailGraph(verdict, system, options, purchases);
    } finally {
      if (options.keep) await system.killAll();
      else await system.destroy();
    }
  },
};

async function sendUnderFaults(
  verdict: Verdict,
  system: LocalSystem,
  rows: number,
  seed: number,
  plan: readonly Fault[],
): Promise<void> {
  const sender = new BatchSender({ url: system.ingest.url, ratePerSecond: RATE_PER_SECOND });
  const injector = new FaultInjector(verdict, system, plan);
  let row = 0;
  for await (const line of withRepeats(retailLines(retailFile(), rows), seededRandom(seed + 1))) {
    await sender.add(line);
    await injector.reached(++row);
  }
  await sender.close();
  await injector.finished();
  const statuses = [...sender.statuses].map(([status, count]) => `${status === 0 ? 'no answer' : status}: ${count}`);
  verdict.note(`${row} events sent, ${row - rows} of them repeats; answers ${statuses.join(', ')}`);
}

/** Runs the plan beside the sender, one fault at a time; the sender waits where the next fault is due before the last has healed. */
class FaultInjector {
  readonly #verdict: Verdict;
  readonly #cubes: CubeClient;
  readonly #system: LocalSystem;
  readonly #plan: readonly Fault[];
  #next = 0;
  #running: Promise<void> = Promise.resolve();
  #visible = 0;

  constructor(verdict: Verdict, system: LocalSystem, plan: readonly Fault[]) {
    this.#verdict = verdict;
    this.#cubes = new CubeClient(system.analytics.url);
    this.#system = system;
    this.#plan = plan;
  }

  async reached(row: number): Promise<void> {
    const fault = this.#plan[this.#next];
    if (fault === undefined || row < fault.atRow) return;
    this.#next += 1;
    const before = this.#running;
    this.#running = before.then(() => this.#inject(fault));
    await before;
  }

  async finished(): Promise<void> {
    await this.#running;
    assert(this.#next === this.#plan.length, 'every fault was due before the end');
  }

  /** Kills a live process after the visible count has moved since the last kill, starts it again and waits until all are ready. */
  async #inject(fault: Fault): Promise<void> {
    const { victim } = fault;
    const moved = async (): Promise<boolean> => (await this.#cubes.total('sales', 'lines')) > this.#visible;
    await until(systemClock, moved, PROGRESS_DEADLINE_MS, `progress before the kill of ${victim.name}`);
    this.#visible = await this.#cubes.total('sales', 'lines');
    const { pid } = victim;
    const live = isAlive(pid);
    await victim.kill();
    await victim.start();
    await Promise.all(this.#system.services.map((service) => service.ready()));
    const detail = `row ${fault.atRow}, ${this.#visible} visible, pid ${pid} -> ${victim.pid}`;
    this.#verdict.expect(live && victim.pid !== pid && isAlive(victim.pid), `${victim.name} killed and back`, detail);
  }
}
