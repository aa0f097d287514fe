import { messageOf, NiobeError, randomHex, type Logger, type Random } from '@niobe/kernel';
import {
  checkFacts,
  FactsRow,
  newFacts,
  PartitionTable,
  type Facts,
  type SchemaCatalogue,
  type SharedMaps,
} from '@niobe/grid';
import type { BackupClient } from '@niobe/replication';
import { decodeCatalogue, revisionOf, type StoredCatalogue } from './stored-catalogue.ts';

/**
 * What a shard finds out before it takes partitions: which system it belongs to.
 *
 * 1. The facts are recorded: they must fit the configuration and what the reachable backup servers keep, else `INCOMPATIBLE`.
 * 2. They are not, and no backup server keeps any: a new system. All of them must have said so, because one that is away may know better.
 * 3. They are not, but backup servers have data: NATS lost its store. Schemas and partition rows are put back, with the highest
 *    epochs that backup servers promised; the facts come last, so that everybody else waits until the rest is there.
 */

/** Bytes of a system's identity. */
const BIRTH_ID_BYTES = 16;

/** What {@link findFacts} needs. */
export interface FactsOptions {
  readonly maps: SharedMaps;
  readonly catalogue: SchemaCatalogue;
  readonly backups: readonly BackupClient[];
  /** Configured number of partitions. */
  readonly partitions: number;
  /** Configured shards, for the rows of a new or rebuilt system. */
  readonly shards: readonly string[];
  readonly random: Random;
  readonly logger: Logger;
  /** Asks one thing of a backup server until it answers. */
  readonly untilAnswered: <T>(backup: BackupClient, ask: () => Promise<T>) => Promise<T>;
}

/** What {@link findFacts} found. */
export interface FoundFacts {
  readonly facts: Facts;
  /** A backup server kept the catalogue before this start, so it has been with the system and not lost its disk since. */
  readonly isCatalogueKept: boolean;
}

/** The facts of the system this shard belongs to; see the head of this file. Repeatable. */
export async function findFacts(options: FactsOptions): Promise<FoundFacts> {
  const row = await FactsRow.open(options.maps);
  const recorded = await row.read();
  if (recorded !== null) {
    checkFacts(recorded, options.partitions);
    return { facts: recorded, isCatalogueKept: await compareWithBackups(options, recorded) };
  }
  const kept = await newestKept(options);
  const facts = kept === null ? newFacts(options.partitions, randomHex(options.random, BIRTH_ID_BYTES)) : kept.facts;
  checkFacts(facts, options.partitions);
  if (kept !== null) await rebuild(options, kept);
  return { facts: await row.record(facts), isCatalogueKept: kept !== null };
}

/**
 * Whether one of the backup servers that answer keeps the catalogue. Throws `INCOMPATIBLE` if one belongs to another system, and
 * `UNAVAILABLE` if none answers: without any there is nothing to recover from.
 */
async function compareWithBackups({ backups, logger }: FactsOptions, facts: Facts): Promise<boolean> {
  const answers = await Promise.allSettled(backups.map((backup) => backup.catalogue()));
  let isKept = false;
  for (const [index, { name }] of backups.entries()) {
    const answer = answers[index]!;
    if (answer.status === 'rejected')
      logger.warn({ backup: name }, `${name} does not answer: ${messageOf(answer.reason)}`);
    else if (answer.value !== null) {
      requireSameSystem(decodeCatalogue(answer.value, name).facts, facts, name);
      isKept = true;
    }
  }
  if (backups.length > 0 && answers.every(({ status }) => status === 'rejected'))
    throw new NiobeError('UNAVAILABLE', `no backup server answers: ${backups.map(({ name }) => name).join(', ')}`);
  return isKept;
}

function requireSameSystem(kept: Facts, facts: Facts, backup: string): void {
  checkFacts(kept, facts.partitions);
  if (kept.birthId === facts.birthId) return;
  throw new NiobeError(
    'INCOMPATIBLE',
    `${backup} holds another system (born ${kept.birthId}, this one ${facts.birthId}): give it an empty folder or its own NATS`,
  );
}

/** The newest catalogue that any backup server keeps; null if all said that they keep none. */
async function newestKept({ backups, untilAnswered }: FactsOptions): Promise<StoredCatalogue | null> {
  let newest: StoredCatalogue | null = null;
  for (const backup of backups) {
    const kept = await untilAnswered(backup, () => backup.catalogue());
    if (kept === null) continue;
    const stored = decodeCatalogue(kept, backup.name);
    if (newest !== null) requireSameSystem(stored.facts, newest.facts, backup.name);
    if (newest === null || revisionOf(stored.schemas) > revisionOf(newest.schemas)) newest = stored;
  }
  return newest;
}

async function rebuild(options: FactsOptions, kept: StoredCatalogue): Promise<void> {
  const { maps, catalogue, logger, shards } = options;
  const { partitions, birthId } = kept.facts;
  logger.warn(
    { birthId, partitions, schemas: kept.schemas.schemas.length },
    'NATS has lost its store: facts, schemas and partition rows are rebuilt from the backup servers',
  );
  await catalogue.restore(kept.schemas);
  const epochs = await promisedEpochs(options, partitions);
  const table = await PartitionTable.open({ maps, partitions, logger });
  await table.ensureRows(shards, (partition) => epochs[partition] ?? 0);
  table.close();
}

/** The highest epoch that a backup server promised, by partition. */
async function promisedEpochs({ backups, untilAnswered }: FactsOptions, partitions: number): Promise<Uint32Array> {
  const epochs = new Uint32Array(partitions);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  for (const backup of backups) {
    for (const { partition, promised } of await untilAnswered(backup, () => backup.promises(all)))
      epochs[partition] = Math.max(epochs[partition] ?? 0, promised?.epoch ?? 0);
  }
  return epochs;
}
