import { systemClock, until } from '@niobe/kernel';
import { parseExposition } from '../metrics/exposition.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';

const FORGOTTEN_WITHIN_MS = 60_000;
/** What shards and services say of the searches they hold. */
const TASK_SERIES = ['niobe_storage_shard_open_searches', 'niobe_traversal_open_searches'];

/** Within a minute no process holds anything of a search. */
export async function expectNoTasks(verdict: Verdict, system: LocalSystem, after: string): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const none = async (): Promise<boolean> => (await tasks(system)) === 0;
  await verdict.attempt(`${after}: no task state is left after a minute`, () =>
    until(systemClock, none, FORGOTTEN_WITHIN_MS, 'no task state', 200),
  );
  verdict.note(`  gone after ${((systemClock.monotonicMs() - startMs) / 1_000).toFixed(1)} s`);
}

/** Searches that any process holds, `NaN` where one does not say. */
async function tasks(system: LocalSystem): Promise<number> {
  let sum = 0;
  for (const service of [...system.shards, system.traversal]) {
    const series = parseExposition(await (await fetch(`${service.url}/metrics`)).text());
    const found = series.filter(({ name }) => TASK_SERIES.includes(name));
    sum += found.length === 0 ? Number.NaN : found.reduce((total, { value }) => total + value, 0);
  }
  return sum;
}
