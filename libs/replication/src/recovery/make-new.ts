import { NiobeError } from '@niobe/kernel';
import type { Attempt, Change } from '../backup/backup-store.ts';
import { ShipFrameWriter } from '../backup/ship-frame.ts';
import { SECTIONS_PER_FRAME_MAX } from '../limits.ts';
import type { ReachedCopy } from './reach-copies.ts';

const FRAME_BYTES = 4096;

/**
 * Makes every copy an empty, complete one, so that from the moment the partition is known to be served no copy of it can be taken
 * for one that never was. Leftovers of attempts that ended before this point are freed.
 */
export async function makeNew(copies: readonly ReachedCopy[], partition: number, attempt: Attempt): Promise<void> {
  await Promise.all(copies.map((copy) => completeEmpty(copy, partition, attempt)));
}

async function completeEmpty(
  { client, stream, holding }: ReachedCopy,
  partition: number,
  attempt: Attempt,
): Promise<void> {
  const changes: Change[] = holding.segments.map(({ segment, epoch }) => ({
    kind: 'free',
    segment,
    segmentEpoch: epoch,
  }));
  changes.push({ kind: 'complete', completeEpoch: attempt.epoch });
  for (let at = 0; at < changes.length; at += SECTIONS_PER_FRAME_MAX) {
    const frame = new ShipFrameWriter(attempt.owner, FRAME_BYTES);
    for (const [i, change] of changes.slice(at, at + SECTIONS_PER_FRAME_MAX).entries())
      frame.add({ partition, epoch: attempt.epoch, stream, order: at + i + 1, change });
    const verdicts = await client.ship(frame.finish());
    if (verdicts.some(({ kind }) => kind !== 'OK'))
      throw new NiobeError(
        'BACKUP_UNAVAILABLE',
        `${client.name} did not take the new partition ${partition}: try again`,
      );
  }
}
