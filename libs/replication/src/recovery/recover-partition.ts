import { NiobeError, silentLogger, type Clock, type Logger } from '@niobe/kernel';
import type { Bus } from '@niobe/grid';
import { validPrefix, type RecoveredSegment } from '@niobe/store';
import { BackupClient } from '../backup/backup-client.ts';
import type { Attempt, CopyHolding } from '../backup/backup-store.ts';
import type { ShippedPartition } from '../primary/log-shipper.ts';
import { makeNew } from './make-new.ts';
import { reachCopies, type Reach, type ReachedCopy } from './reach-copies.ts';
import { assembleSegment, type AssembledSegment, type SegmentDamage, type SegmentName } from './segment-images.ts';

/**
 * Recovery of a partition from its copies.
 *
 * 1. Every backup server is asked to promise its copy to this attempt: the owner before can make nothing durable any more.
 * 2. Every segment is read from all copies at once and the longest valid beginning is put together from them, so that damage shows
 *    in whichever copy it is.
 * 3. One copy is the reference: its segments, as far as it holds them. A complete copy has all that was acknowledged; of several,
 *    the one that is complete at the highest epoch, and then the one that saw the latest commit, is taken. Not a union: a copy that
 *    was away may hold the end of a log that a later owner dropped and went on without, and a segment may not end in damage while a
 *    later one is taken. Each copy by itself is a beginning of one history.
 * 4. A reference that cannot be put together up to its committed lengths is passed over for the next. If none is left and all
 *    backup servers have answered: `PARTITION_DAMAGED`.
 *
 * What a copy lacks or has too much is not dealt with here: the {@link LogShipper} makes every copy like the log, the damaged ones
 * too, and marks it complete.
 */

const SEGMENTS_AT_A_TIME = 2;
const RETRY_AFTER_MS = 1_000;

/** What a recovery needs. */
export interface RecoveryOptions {
  readonly bus: Bus;
  readonly deployment: string;
  /** Names of all backup servers. */
  readonly backups: readonly string[];
  readonly partition: number;
  /** The epoch that was won in the partition table, above all that backup servers have promised. */
  readonly epoch: number;
  /** This process, `node@incarnation`. */
  readonly owner: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** How long a backup server that does not answer is waited for while another copy could be used alone. */
  readonly patienceMs: number;
  /**
   * Whether the partition may never have had a cell: its row was never ACTIVE. Then copies that are empty everywhere make an empty
   * partition, complete on every backup server when this returns; otherwise they are a loss that must not be taken for a beginning.
   */
  readonly mayBeNew: boolean;
}

/** A partition as it comes out of its copies. */
export interface PartitionRecovery {
  /** For `PartitionStore.recover`. */
  readonly segments: readonly RecoveredSegment[];
  /** Above every segment number that any copy has seen. */
  readonly firstSegment: number;
  /** Last commit, zeros where there is none. */
  readonly lastCommit: { readonly epoch: number; readonly seq: number };
  /** For `LogShipper.open`. */
  readonly shipped: ShippedPartition;
  readonly isNew: boolean;
  /** What was damaged and is about to be overwritten from another copy. */
  readonly damage: readonly SegmentDamage[];
  /** Backup servers that did not answer: their copies are repaired when they return. */
  readonly unreachable: readonly string[];
}

/**
 * Recovers a partition. `FENCED` (details `promisedEpoch`): take a higher epoch. `BACKUP_UNAVAILABLE`: no copy that can be used alone
 * answers, try again. `PARTITION_DAMAGED` (details partition, segment, offset): every copy has answered and none can be used.
 * Repeatable with the same attempt. Reads all copies whole; memory: the partition twice.
 */
export async function recoverPartition(options: RecoveryOptions): Promise<PartitionRecovery> {
  const { bus, deployment, backups, partition, epoch, owner, clock } = options;
  const attempt: Attempt = { epoch, owner };
  const clients = backups.map((name) => new BackupClient(bus, deployment, name));
  const reach = await reachCopies(clients, partition, attempt, clock, options.patienceMs);
  const complete = reach.copies.filter(({ holding }) => holding.completeEpoch > 0);
  if (complete.length === 0) return recoverNothing(options, reach);
  try {
    const assembled = await assembleAll(reach.copies, partition, clock);
    return report(options, reach, choose(options, reach, complete, assembled), assembled);
  } catch (error) {
    throw unavailableIfLost(error, partition);
  }
}

/** A backup server that goes away in between: the recovery is to be begun again. */
function unavailableIfLost(error: unknown, partition: number): unknown {
  if (!(error instanceof NiobeError) || ['PARTITION_DAMAGED', 'BACKUP_UNAVAILABLE'].includes(error.code)) return error;
  return unavailable(`a copy of partition ${partition} could not be read: ${error.message}`, error);
}

function unavailable(why: string, cause?: unknown): NiobeError {
  return new NiobeError('BACKUP_UNAVAILABLE', `${why}: try again`, { retryAfterMs: RETRY_AFTER_MS }, cause);
}

async function recoverNothing(options: RecoveryOptions, reach: Reach): Promise<PartitionRecovery> {
  const { partition, mayBeNew } = options;
  if (reach.unreachable.length > 0)
    throw unavailable(
      `no copy of partition ${partition} that answers is complete; waiting for ${reach.unreachable.join(', ')}`,
    );
  if (!mayBeNew)
    throw new NiobeError(
      'PARTITION_DAMAGED',
      `partition ${partition} had cells, and no backup server has a complete copy of it`,
      { partition },
    );
  try {
    await makeNew(reach.copies, partition, { epoch: options.epoch, owner: options.owner });
  } catch (error) {
    throw unavailableIfLost(error, partition);
  }
  return report(options, reach, [], []);
}

function namesOf(copies: readonly ReachedCopy[]): SegmentName[] {
  const names = new Map<string, SegmentName>();
  for (const { holding } of copies)
    for (const { segment, epoch } of holding.segments) names.set(`${segment}/${epoch}`, { segment, epoch });
  return [...names.values()].sort((a, b) => a.segment - b.segment || a.epoch - b.epoch);
}

async function assembleAll(
  copies: readonly ReachedCopy[],
  partition: number,
  clock: Clock,
): Promise<AssembledSegment[]> {
  const names = namesOf(copies);
  const assembled: AssembledSegment[] = [];
  for (let at = 0; at < names.length; at += SEGMENTS_AT_A_TIME) {
    const some = names.slice(at, at + SEGMENTS_AT_A_TIME);
    assembled.push(...(await Promise.all(some.map((name) => assembleSegment(copies, partition, name, clock)))));
  }
  return assembled;
}

/** The segments of the best copy that can be had whole. */
function choose(
  { partition }: RecoveryOptions,
  reach: Reach,
  complete: readonly ReachedCopy[],
  assembled: readonly AssembledSegment[],
): AssembledSegment[] {
  const candidates = complete
    .map(({ holding }) => ({ completeEpoch: holding.completeEpoch, ...asHeld(holding, assembled) }))
    .sort((a, b) => b.completeEpoch - a.completeEpoch || byCommit(lastCommitOf(b.segments), lastCommitOf(a.segments)));
  const whole = candidates.find(({ missing }) => missing === null);
  if (whole !== undefined) return whole.segments;
  const { segment, offset } = candidates[0]!.missing!;
  const where = `partition ${partition}, segment ${segment}, offset ${offset}`;
  if (reach.unreachable.length > 0)
    throw unavailable(`${where}: damaged in every copy that answers; waiting for ${reach.unreachable.join(', ')}`);
  throw new NiobeError('PARTITION_DAMAGED', `${where}: damaged in every copy; the partition is not served`, {
    partition,
    segment,
    offset,
  });
}

interface Reference {
  readonly segments: AssembledSegment[];
  /** The first place that was durable on this copy and cannot be had from any. */
  readonly missing: { readonly segment: number; readonly offset: number } | null;
}

/** The log as one copy holds it, with the bytes that all copies have together. */
function asHeld(holding: CopyHolding, assembled: readonly AssembledSegment[]): Reference {
  const segments: AssembledSegment[] = [];
  let missing: Reference['missing'] = null;
  for (const held of holding.segments) {
    const all = assembled.find(({ segment, epoch }) => segment === held.segment && epoch === held.epoch)!;
    const mine = upTo(all, held.heldBytes);
    if (mine.bytes.length < held.committedBytes) missing ??= { segment: held.segment, offset: mine.bytes.length };
    if (mine.bytes.length > 0) segments.push(mine);
  }
  return { segments, missing };
}

function upTo(all: AssembledSegment, heldBytes: number): AssembledSegment {
  if (all.bytes.length <= heldBytes) return all;
  const { validBytes, lastCommit } = validPrefix(all.bytes.subarray(0, heldBytes));
  return { ...all, bytes: all.bytes.subarray(0, validBytes), lastCommit };
}

type Commit = PartitionRecovery['lastCommit'];

function byCommit(a: Commit, b: Commit): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

function lastCommitOf(segments: readonly AssembledSegment[]): Commit {
  return segments.reduce((last, { lastCommit }) => (byCommit(lastCommit, last) > 0 ? lastCommit : last), {
    epoch: 0,
    seq: 0,
  });
}

function report(
  options: RecoveryOptions,
  reach: Reach,
  segments: readonly AssembledSegment[],
  assembled: readonly AssembledSegment[],
): PartitionRecovery {
  const { partition, epoch } = options;
  const lastCommit = lastCommitOf(segments);
  const damage = assembled.flatMap((segment) => segment.damage);
  const base = segments.map(({ segment, epoch: opened, bytes }) => ({ segment, epoch: opened, bytes: bytes.length }));
  say(options, reach, damage);
  return {
    segments: segments.map(({ segment, bytes }) => ({ segment, bytes, durableBytes: bytes.length })),
    firstSegment: 1 + Math.max(0, ...reach.copies.flatMap(({ holding }) => holding.segments.map((s) => s.segment))),
    lastCommit,
    shipped: { partition, epoch, base, baseSeq: lastCommit.seq, damaged: damage },
    isNew: assembled.length === 0 && reach.copies.every(({ holding }) => holding.completeEpoch === 0),
    damage,
    unreachable: reach.unreachable,
  };
}

function say(
  { partition, logger = silentLogger }: RecoveryOptions,
  reach: Reach,
  damage: readonly SegmentDamage[],
): void {
  for (const { backup, segment, offset, isRepairable } of damage) {
    const where = `partition ${partition}, segment ${segment}, offset ${offset}`;
    const remedy = isRepairable ? 'repaired from another copy' : 'dropped, because it was acknowledged to nobody';
    logger.warn({ partition, segment, offset, backup, isRepairable }, `${where}: damaged on ${backup}; ${remedy}`);
  }
  if (reach.unreachable.length > 0)
    logger.warn(
      { partition, unreachable: reach.unreachable.join(',') },
      `partition ${partition} was recovered without ${reach.unreachable.join(', ')}, whose copy is repaired when it returns`,
    );
}
