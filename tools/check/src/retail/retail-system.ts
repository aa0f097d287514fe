import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { dataFile } from '@niobe/testing';
import type { CubeClient } from '../cube-client.ts';
import { LocalSystem } from '../system/local-system.ts';
import type { CheckOptions } from '../check.ts';
import type { Verdict } from '../verdict.ts';
import { compareGroups, CUBE_VIEWS, type CubeView, type Groups } from './oracle.ts';

/** Path of the retail file; without it the checks that need it cannot run. */
export function retailFile(): string {
  const found = dataFile('retail/online-retail.csv.gz');
  if (found.path === null) throw new NiobeError('BAD_CONFIG', `the retail data is missing: ${found.why}`);
  return found.path;
}

/** A system with the retail deployment, not yet started. */
export function retailSystem(options: CheckOptions, storeBytes?: number): Promise<LocalSystem> {
  const deploymentDir = join(options.repositoryDir, 'infra/deployments/retail');
  return LocalSystem.create({
    repositoryDir: options.repositoryDir,
    deploymentDir,
    ...(storeBytes === undefined ? {} : { storeBytes }),
  });
}

/** Compares every group of every cube view with the oracle's; one expectation a view. */
export async function expectRetailGroups(
  verdict: Verdict,
  cubes: CubeClient,
  oracle: ReadonlyMap<CubeView, Groups>,
): Promise<void> {
  for (const view of CUBE_VIEWS) {
    const expected = oracle.get(view) ?? new Map();
    const { different, example } = compareGroups(expected, await readGroups(cubes, view));
    const name = `${view.cube} by [${view.by.join(', ')}]: ${expected.size} groups equal DuckDB's`;
    verdict.expect(different === 0, name, different === 0 ? '' : `${different} differ; ${example}`);
  }
}

async function readGroups(cubes: CubeClient, view: CubeView): Promise<Groups> {
  const groups: Groups = new Map();
  const isByDay = view.cube === 'sales_by_day';
  for (const range of isByDay ? dayRanges() : [{ panes: 'merged' }]) {
    for await (const row of cubes.rows(view.cube, { by: view.by.join(','), ...range })) {
      const key = [...(isByDay ? [row['pane']] : []), ...view.by.map((dimension) => row[dimension])];
      groups.set(JSON.stringify(key), [String(row['lines']), String(row['revenue']), String(row['units'])]);
    }
  }
  return groups;
}

const DAY_MS = 86_400_000;
const RANGE_DAYS = 30;
/** The data lies within. Rows outside would show as groups that are missing. */
const FIRST_DAY_MS = Date.UTC(2010, 10, 1);
const LAST_DAY_MS = Date.UTC(2012, 0, 31);

/** The days of the data in ranges, so that an answer of many groups comes in parts. */
function dayRanges(): Record<string, string>[] {
  const ranges: Record<string, string>[] = [];
  for (let fromMs = FIRST_DAY_MS; fromMs < LAST_DAY_MS; fromMs += RANGE_DAYS * DAY_MS) {
    const [from, to] = [fromMs, fromMs + RANGE_DAYS * DAY_MS].map((ms) => new Date(ms).toISOString());
    ranges.push({ panes: 'each', from: from ?? '', to: to ?? '' });
  }
  return ranges;
}
