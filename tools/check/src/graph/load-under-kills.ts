import { systemClock, until } from '@niobe/kernel';
import { parseExposition } from '../metrics/exposition.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import type { Verdict } from '../verdict.ts';
import { LoadTool, type LoadWish } from './load-tool.ts';
import type { WebGraph } from './web-graph.ts';

const EDGE_ENDS = 'niobe_storage_shard_graph_edge_ends';
const PROGRESS_DEADLINE_MS = 120_000;
/** Runs that may be needed: one that the shard's death may end, one that is killed itself, one to the end. */
const RUNS = 4;
/** Shares of the edge ends at which a shard and then the tool are killed. */
const SHARD_AT = 0.3;
const TOOL_AT = 0.6;

/** Loads the file while a shard and then the tool itself are killed (-9), and resumes until the tool says that everything is in. */
export async function loadUnderKills(verdict: Verdict, wish: LoadWish, web: WebGraph): Promise<void> {
  const [, shard] = wish.system.shards;
  if (shard === undefined) return;
  let tool = new LoadTool(wish);
  const before = await reached(wish, web, SHARD_AT, tool);
  await shard.kill();
  shard.start();
  await shard.ready();
  const survived = tool.running;
  verdict.expect(
    before < 2 * web.edges.from.length,
    `${shard.name} killed in the middle of the load`,
    `at ${before} edge ends; the tool ${survived ? 'goes on' : 'ended'}`,
  );
  if (!survived) tool = new LoadTool(wish);
  const later = await reached(wish, web, TOOL_AT, tool);
  verdict.expect(tool.running, 'the tool killed in the middle of the load', `at ${later} edge ends`);
  tool.kill();
  await tool.ended;
  await resume(verdict, wish);
}

async function resume(verdict: Verdict, wish: LoadWish): Promise<void> {
  for (let run = 1; run <= RUNS; run++) {
    const { exitCode, output } = await new LoadTool(wish).ended;
    if (exitCode === 0) {
      verdict.expect(true, 'the load is resumed to its end', `run ${run}`);
      return;
    }
    verdict.note(`run ${run} ended with ${exitCode}: ${output.trim().split('\n').at(-1)}`);
  }
  verdict.expect(false, 'the load is resumed to its end', `not in ${RUNS} runs`);
}

/** Waits until so many edge ends are stored or the tool has ended; how many there are then. */
async function reached(wish: LoadWish, web: WebGraph, share: number, tool: LoadTool): Promise<number> {
  const wanted = 2 * web.edges.from.length * share;
  let ends = 0;
  const enough = async (): Promise<boolean> => (ends = await edgeEnds(wish.system.shards)) >= wanted || !tool.running;
  await until(systemClock, enough, PROGRESS_DEADLINE_MS, `${wanted} edge ends`, 20);
  return ends;
}

async function edgeEnds(shards: readonly ServiceProcess[]): Promise<number> {
  let ends = 0;
  for (const shard of shards) {
    const response = await fetch(`${shard.url}/metrics`);
    for (const { name, value } of parseExposition(await response.text())) if (name === EDGE_ENDS) ends += value;
  }
  return ends;
}
