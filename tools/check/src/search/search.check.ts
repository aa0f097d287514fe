import { seededRandom } from '@niobe/kernel';
import type { Check, CheckOptions } from '../check.ts';
import { onGraphSystem, type GraphSystem } from '../graph/graph-system.ts';
import { loadWhole } from '../graph/load-tool.ts';
import { readWebGraph, type WebGraph } from '../graph/web-graph.ts';
import { expectWebSearches } from '../graph/web-searches.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { checkCrowd, checkLeavers } from './crowd.ts';
import { checkKills } from './kills.ts';
import { checkRefusals } from './refusals.ts';

/** Searches that must be refused, more at once than are allowed, clients that leave, and shards that die under a search. */
export const search: Check = {
  summary:
    'bad searches, too many at once, clients that leave, 50 kills of a shard during a search; no task state left',
  async run(verdict, options) {
    const web = readWebGraph(options.limit);
    await onGraphSystem(options, 'web', 2, (running) => checkSearches(verdict, options, running, web));
  },
};

async function checkSearches(
  verdict: Verdict,
  options: CheckOptions,
  running: GraphSystem,
  web: WebGraph,
): Promise<void> {
  const { system } = running;
  const random = seededRandom(options.seed);
  const { repositoryDir } = options;
  await loadWhole({ ...running, repositoryDir, file: web.file, format: 'snap', edge: 'links' });
  const traverse = new TraverseClient(system.traversal.url);
  await checkRefusals(verdict, system, random);
  await checkCrowd(verdict, system);
  await checkLeavers(verdict, system, random);
  await checkKills(verdict, system, web, random, options.runs);
  await expectWebSearches(verdict, traverse, web, 'at the end');
}
