import type { Check, CheckOptions } from '../check.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { expectExampleSearch } from './example-search.ts';
import { onGraphSystem, type GraphSystem } from './graph-system.ts';
import { loadUnderKills } from './load-under-kills.ts';
import { LoadTool, loadWhole, type LoadWish } from './load-tool.ts';
import { timeSearches } from './search-times.ts';
import { readWebGraph, type WebGraph } from './web-graph.ts';
import { expectWebStored } from './web-integrity.ts';
import { expectWebSearches } from './web-searches.ts';

const LOAD_GOAL_PER_SECOND = 100_000;

/** A published web graph loaded, searched and read back cell by cell; on 1, 2 and 4 shards, and with kills in the load. */
export const graph: Check = {
  summary:
    'a web graph of 1.5 million edges on 1, 2 and 4 shards: load, searches, kills in the load, every edge from both ends',
  async run(verdict, options) {
    const web = readWebGraph(options.limit);
    await onGraphSystem(options, 'web', 2, (running) => checkTwoShards(verdict, options, running, web));
    for (const shards of [1, 4]) {
      await onGraphSystem(options, 'web', shards, async (running) => {
        await load(verdict, wishFor(options, running, web), web, `${shards} shards`);
        await expectWebSearches(verdict, traverseOf(running), web, `${shards} shards`);
      });
    }
    await onGraphSystem(options, 'web', 2, (running) => checkKilledLoad(verdict, options, running, web));
    await onGraphSystem(options, 'social', 2, (running) => expectExampleSearch(verdict, options, running));
  },
};

async function checkTwoShards(
  verdict: Verdict,
  options: CheckOptions,
  running: GraphSystem,
  web: WebGraph,
): Promise<void> {
  const wish = wishFor(options, running, web);
  await load(verdict, wish, web, '2 shards');
  await expectWebSearches(verdict, traverseOf(running), web, '2 shards');
  await timeSearches(verdict, traverseOf(running), web);
  const { exitCode, output } = await new LoadTool(wish).ended;
  verdict.expect(exitCode === 0, 'a second load of the same file has nothing to do', output.trim().split('\n').at(-1));
  await expectWebStored(verdict, running, web);
}

async function checkKilledLoad(
  verdict: Verdict,
  options: CheckOptions,
  running: GraphSystem,
  web: WebGraph,
): Promise<void> {
  await loadUnderKills(verdict, wishFor(options, running, web), web);
  await expectWebSearches(verdict, traverseOf(running), web, 'after kills in the load');
  await expectWebStored(verdict, running, web);
}

/** From the start of the command to its end, which is after the last edge is durable. */
async function load(verdict: Verdict, wish: LoadWish, web: WebGraph, where: string): Promise<void> {
  const seconds = await loadWhole(wish);
  const rate = Math.round(web.edges.from.length / seconds);
  const goal = `goal ${LOAD_GOAL_PER_SECOND}: ${rate >= LOAD_GOAL_PER_SECOND ? 'reached' : 'missed'}`;
  verdict.note(`${where}: ${web.edges.from.length} edges in ${seconds.toFixed(1)} s, ${rate} edges/s (${goal})`);
}

function wishFor({ repositoryDir }: CheckOptions, running: GraphSystem, { file }: WebGraph): LoadWish {
  return { ...running, repositoryDir, file, format: 'snap', edge: 'links' };
}

function traverseOf({ system }: GraphSystem): TraverseClient {
  return new TraverseClient(system.traversal.url);
}
