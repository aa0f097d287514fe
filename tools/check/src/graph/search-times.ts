import { basename } from 'node:path';
import { isNiobeError, systemClock } from '@niobe/kernel';
import { runPeer } from '../peer.ts';
import type { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import type { WebGraph } from './web-graph.ts';
import { reachFrom } from './web-searches.ts';

const GOAL_MS = 1_000;
const SEARCHES = 5;

/** Level counts of the whole graph over HTTP: median of five after a warm-up, beside serial C++ on the same file where that is there. */
export async function timeSearches(verdict: Verdict, traverse: TraverseClient, web: WebGraph): Promise<void> {
  const request = reachFrom(0, 'out');
  await traverse.levels(request);
  const times: number[] = [];
  for (let i = 0; i < SEARCHES; i++) {
    const startMs = systemClock.monotonicMs();
    await traverse.levels(request);
    times.push(systemClock.monotonicMs() - startMs);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(SEARCHES / 2)] ?? NaN;
  const all = times.map((ms) => ms.toFixed(0)).join(', ');
  verdict.note(
    `search of the whole graph: ${median.toFixed(0)} ms, median of ${all} (goal < ${GOAL_MS} ms: ${median < GOAL_MS ? 'reached' : 'missed'})`,
  );
  verdict.note(await besides(web, median));
}

/** What the reference needs for the same search in one address space. */
async function besides(web: WebGraph, ms: number): Promise<string> {
  try {
    const figures = await runPeer('c-graph', [web.file]);
    const reference = Number(figures[`${graphName(web.file)}_top_down_ms`]);
    return `  serial C++ over a CSR in memory: ${reference.toFixed(1)} ms; ratio ${(ms / reference).toFixed(0)}`;
  } catch (error) {
    if (!isNiobeError(error, 'UNAVAILABLE')) throw error;
    return `  no reference: ${error.message.slice(0, 200)}`;
  }
}

/** The reference names its figures by the file. */
function graphName(file: string): string {
  return basename(file).replace(/\..*$/, '').replaceAll('-', '_');
}
