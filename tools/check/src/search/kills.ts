import { delay, systemClock, type Random } from '@niobe/kernel';
import type { WebGraph } from '../graph/web-graph.ts';
import { reachFrom } from '../graph/web-searches.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { TraverseClient, type FoundLevels, type TraverseAnswer } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { expectNoTasks } from './task-state.ts';

const KILLS = 50;
const DEADLINE_MS = 10_000;
/** Searches before the kills, by which their moments are chosen. */
const TIMED_SEARCHES = 5;
/** Tries at the most for each kill: a search that ended before its kill was due does not count. */
const TRIES_PER_KILL = 4;
/** What an answer may be late by on a busy machine. */
const SLACK_MS = 1_000;

/** How the searches ended, and what was wrong with one. */
interface Outcomes {
  readonly counts: Map<string, number>;
  complaint: string;
  slowestMs: number;
}

/** A shard dies at a seeded moment of a search, 50 times: the right answer or a typed error within the deadline. */
export async function checkKills(
  verdict: Verdict,
  system: LocalSystem,
  web: WebGraph,
  random: Random,
  runs: number | null,
): Promise<void> {
  const kills = runs ?? KILLS;
  const usualMs = await usualTime(system);
  const outcomes: Outcomes = { counts: new Map(), complaint: '', slowestMs: 0 };
  let killed = 0;
  for (let tries = 0; killed < kills && tries < TRIES_PER_KILL * kills; tries++) {
    const moment = { victim: killed % system.shards.length, afterMs: usualMs * random.next() };
    if (await killDuringSearch(system, web, moment, outcomes)) killed += 1;
  }
  const ends = [...outcomes.counts].map(([end, count]) => `${end}: ${count}`).join(', ');
  verdict.expect(
    killed === kills && outcomes.complaint === '' && outcomes.slowestMs <= DEADLINE_MS + SLACK_MS,
    `${kills} kills of a shard during a search: an answer or a typed error within ${DEADLINE_MS} ms`,
    `${killed} killed; ${ends}; the slowest ${outcomes.slowestMs.toFixed(0)} ms${outcomes.complaint === '' ? '' : `; ${outcomes.complaint}`}`,
  );
  await expectNoTasks(verdict, system, `${kills} kills`);
}

/** Kills a shard while a search runs and judges how it ends; false where it had ended before. */
async function killDuringSearch(
  system: LocalSystem,
  web: WebGraph,
  { victim, afterMs }: { readonly victim: number; readonly afterMs: number },
  outcomes: Outcomes,
): Promise<boolean> {
  const shard = system.shards[victim];
  const startMs = systemClock.monotonicMs();
  let isOver = false;
  const searching = search(system).finally(() => (isOver = true));
  await delay(systemClock, afterMs);
  if (isOver) return false;
  await shard?.kill();
  shard?.start();
  const answer = await searching;
  outcomes.slowestMs = Math.max(outcomes.slowestMs, systemClock.monotonicMs() - startMs);
  judge(answer, web, outcomes);
  await Promise.all(system.shards.map((one) => one.ready()));
  await system.traversal.ready();
  return true;
}

function judge({ status, code, text }: TraverseAnswer, web: WebGraph, outcomes: Outcomes): void {
  const end = status === 200 ? 'answered' : `${status} ${code}`;
  outcomes.counts.set(end, (outcomes.counts.get(end) ?? 0) + 1);
  if (status === 200) {
    const { levels } = JSON.parse(text) as FoundLevels;
    if (JSON.stringify(levels) !== JSON.stringify(web.levels))
      outcomes.complaint ||= `a wrong answer: ${text.slice(0, 200)}`;
  } else if (status !== 503 || code === '') {
    // The start exists and the search is a good one: anything but "come back later" would be a wrong answer too.
    outcomes.complaint ||= `no error of an absent shard: ${status} ${text.slice(0, 200)}`;
  }
}

function search(system: LocalSystem): Promise<TraverseAnswer> {
  const request = { ...reachFrom(0, 'out'), return: 'levels', budget: { ms: DEADLINE_MS } };
  return new TraverseClient(system.traversal.url).post(JSON.stringify(request));
}

/** The shortest of some searches: what a warm one takes. */
async function usualTime(system: LocalSystem): Promise<number> {
  let shortestMs = Infinity;
  for (let i = 0; i < TIMED_SEARCHES; i++) {
    const startMs = systemClock.monotonicMs();
    await search(system);
    shortestMs = Math.min(shortestMs, systemClock.monotonicMs() - startMs);
  }
  return shortestMs;
}
