import { delay, isNiobeError, NiobeError, withDeadline, type Clock } from '@niobe/kernel';
import type { BackupClient } from '../backup/backup-client.ts';
import type { Attempt, CopyHolding } from '../backup/backup-store.ts';
import { BACKOFF_MS } from '../limits.ts';

/** A copy that promised itself to this attempt, and what it holds. Nobody else can change it from now on. */
export interface ReachedCopy {
  readonly client: BackupClient;
  readonly stream: number;
  readonly holding: CopyHolding;
}

/** Copies that answered, and names of the backup servers that did not. */
export interface Reach {
  readonly copies: readonly ReachedCopy[];
  readonly unreachable: readonly string[];
}

/** Registers at every backup server, at all of them at once, asking again until `patienceMs` are over. Throws `FENCED`. */
export async function reachCopies(
  clients: readonly BackupClient[],
  partition: number,
  attempt: Attempt,
  clock: Clock,
  patienceMs: number,
): Promise<Reach> {
  const endMs = clock.monotonicMs() + patienceMs;
  const answers = await Promise.all(clients.map((client) => reach(client, partition, attempt, clock, endMs)));
  return {
    copies: answers.filter((answer) => answer !== null),
    unreachable: clients.filter((_, i) => answers[i] === null).map(({ name }) => name),
  };
}

async function reach(
  client: BackupClient,
  partition: number,
  attempt: Attempt,
  clock: Clock,
  endMs: number,
): Promise<ReachedCopy | null> {
  for (let pauseMs = BACKOFF_MS.first; ; pauseMs = Math.min(BACKOFF_MS.most, pauseMs * 2)) {
    const leftMs = endMs - clock.monotonicMs();
    try {
      return await withDeadline(clock, ask(client, partition, attempt), Math.max(1, leftMs), `asking ${client.name}`);
    } catch (error) {
      if (!isNiobeError(error) || error.code === 'FENCED') throw error;
    }
    if (clock.monotonicMs() + pauseMs >= endMs) return null;
    await delay(clock, pauseMs);
  }
}

async function ask(client: BackupClient, partition: number, attempt: Attempt): Promise<ReachedCopy> {
  const registration = await client.register(partition, attempt);
  if (registration.kind === 'OK')
    return { client, stream: registration.stream, holding: await client.inventory(partition) };
  const { epoch = 0, owner = 'nobody' } = registration.promised ?? {};
  throw new NiobeError(
    'FENCED',
    `${client.name} promised partition ${partition} to epoch ${epoch} of ${owner}: take an epoch above it`,
    { promisedEpoch: epoch, promisedOwner: owner },
  );
}
