import { delay, systemClock, type Random } from '@niobe/kernel';
import { reachFrom } from '../graph/web-searches.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import { expectNoTasks } from './task-state.ts';

const CALLERS = 64;
const LEAVERS = 20;
/** About as long as a whole search takes. */
const PATIENCE_MS = 400;

/** More searches at once than are allowed: some are answered, the others are told to come back. */
export async function checkCrowd(verdict: Verdict, system: LocalSystem): Promise<void> {
  const traverse = new TraverseClient(system.traversal.url);
  const body = JSON.stringify({ ...reachFrom(0, 'out'), return: 'levels', budget: { ms: 60_000 } });
  const answers = await Promise.all(Array.from({ length: CALLERS }, () => traverse.post(body)));
  const answered = answers.filter(({ status }) => status === 200).length;
  const refused = answers.filter(({ status, code }) => status === 429 && code === 'TOO_MANY_SEARCHES').length;
  const odd = answers.find(({ status }) => status !== 200 && status !== 429);
  verdict.expect(
    answered > 0 && refused > 0 && answered + refused === CALLERS,
    `${CALLERS} searches at once: answered, or 429`,
    `${answered} answered, ${refused} refused${odd === undefined ? '' : `; ${odd.status} ${odd.text.slice(0, 200)}`}`,
  );
}

/** Clients that go while their search runs, and the service itself killed under one: the shards forget what nobody waits for. */
export async function checkLeavers(verdict: Verdict, system: LocalSystem, random: Random): Promise<void> {
  const body = JSON.stringify({ ...reachFrom(0, 'out'), return: 'levels' });
  const headers = { 'content-type': 'application/json' };
  for (let i = 0; i < LEAVERS; i++) {
    const signal = AbortSignal.timeout(1 + random.below(PATIENCE_MS));
    const request = { method: 'POST', headers, body, signal };
    await fetch(`${system.traversal.url}/v1/traverse`, request).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
  }
  const last = new TraverseClient(system.traversal.url).post(body);
  await delay(systemClock, PATIENCE_MS / 4);
  await system.traversal.kill();
  await last;
  system.traversal.start();
  await system.traversal.ready();
  await expectNoTasks(verdict, system, `${LEAVERS} clients that left and a killed service`);
}
