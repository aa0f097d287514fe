import { isNiobeError, messageOf, type Random } from '@niobe/kernel';
import { mutate } from '../bad-input/mutation.ts';
import { reachFrom } from '../graph/web-searches.ts';
import { connectAsTool } from '../system/connect.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { TraverseClient, type TraverseAnswer } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { BAD_PATHS, BAD_SEARCHES } from './bad-searches.ts';
import { oddSearch } from './odd-search.ts';

const MUTATIONS = 2_000;
const FRAMES = 1_000;
const FRAME_BYTES_MAX = 200;
const FRAME_DEADLINE_MS = 1_000;
/** Keeps a mutated search that is still valid short. */
const SMALL_BUDGET = { vertices: 1_000, ms: 2_000 };

/** What is no search is refused as such, by the service and by the shards, and ends no process. */
export async function checkRefusals(verdict: Verdict, system: LocalSystem, random: Random): Promise<void> {
  const traverse = new TraverseClient(system.traversal.url);
  const pids = system.services.map(({ pid }) => pid);
  for (const bad of BAD_SEARCHES) {
    const answer = await traverse.post(bad.body, bad.contentType);
    expectRefusal(verdict, `${bad.name}: ${bad.status} ${bad.code}`, answer, bad.status, bad.code, bad.mentions ?? '');
  }
  for (const { path, status, code } of BAD_PATHS)
    expectRefusal(verdict, `GET ${path}: ${status} ${code}`, await traverse.get(path), status, code, '');
  await sendMutations(verdict, traverse, random);
  await sendFrames(verdict, system, random);
  const ended = system.services.filter(({ pid }, i) => pid !== pids[i]).map(({ name }) => name);
  verdict.expect(ended.length === 0, 'no process ended by it', ended.join(', '));
}

function expectRefusal(
  verdict: Verdict,
  what: string,
  { status, code, text }: TraverseAnswer,
  wantStatus: number,
  wantCode: string,
  mentions: string,
): void {
  const holds = status === wantStatus && code === wantCode && text.includes(mentions);
  verdict.expect(holds, what, holds ? '' : `${status} ${text.slice(0, 200)}`);
}

/**
 * A valid search with bytes changed, or with odd values in it: what is still valid is answered, or ends with its own budget of time; the
 * rest gets a typed 4xx.
 */
async function sendMutations(verdict: Verdict, traverse: TraverseClient, random: Random): Promise<void> {
  const valid = { ...reachFrom(0, 'out'), return: 'levels', budget: SMALL_BUDGET };
  const bytes = new TextEncoder().encode(JSON.stringify(valid));
  const codes = new Map<string, number>();
  let odd = '';
  for (let i = 0; i < MUTATIONS; i++) {
    const body = i % 2 === 0 ? mutate(bytes, random) : JSON.stringify(oddSearch(valid, random));
    const { status, code, text } = await traverse.post(body);
    const end = status === 200 ? 'answered' : code;
    codes.set(end, (codes.get(end) ?? 0) + 1);
    const isTyped = (status >= 400 && status < 500 && code !== '') || code === 'DEADLINE';
    if (status !== 200 && !isTyped) odd ||= `${status} ${text.slice(0, 200)}`;
  }
  const ends = [...codes].map(([end, count]) => `${end}: ${count}`).join(', ');
  verdict.expect(odd === '', `${MUTATIONS} mutated searches: an answer or a typed 4xx`, odd === '' ? ends : odd);
}

/** Random bytes straight to the shards, where only other services should speak. */
async function sendFrames(verdict: Verdict, system: LocalSystem, random: Random): Promise<void> {
  const { bus } = await connectAsTool(system.nats.address, 'web');
  let odd = '';
  for (let i = 0; i < FRAMES; i++) {
    const shard = system.shards[i % system.shards.length];
    const frame = Uint8Array.from({ length: random.below(FRAME_BYTES_MAX) }, () => random.below(256));
    try {
      await bus.request(`niobe.web.traverse.${shard?.name}`, frame, { deadlineMs: FRAME_DEADLINE_MS });
    } catch (error) {
      if (!isNiobeError(error)) odd ||= messageOf(error);
    }
  }
  await bus.close();
  verdict.expect(odd === '', `${FRAMES} frames of random bytes to the shards' searches`, odd);
}
