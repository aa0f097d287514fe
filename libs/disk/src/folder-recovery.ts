import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '@niobe/kernel';
import { CopyLedger, type Catalogue } from '@niobe/replication';
import { DamageList } from './damage-list.ts';
import { makeFolder } from './durable-files.ts';
import { IDENTITY_BYTES } from './journal-format.ts';
import { JournalReplay } from './journal-replay.ts';
import { findRounds, journalIdentity, type RoundPlace } from './journal-scan.ts';
import { readSyncedMark } from './synced-mark.ts';
import { manifestFiles, readManifests, type Manifest } from './manifest.ts';
import type { SegmentFiles } from './segment-files.ts';
import { holdingsFromFiles, inspectSegments, listSegmentFiles } from './segment-inspection.ts';
import type { WriteBehind } from './write-behind.ts';

/**
 * What a folder holds, from manifest, journal and segment files.
 *
 * 1. The manifest has the ledger of the last checkpoint, the journal every change since.
 * 2. An empty folder is an empty store, with an identity of its own.
 * 3. With both manifests lost, the segment files say what is held, and the journal's last unbroken row of rounds is replayed over
 *    them. Promises that were made before are not known any more, so it is reported and no copy counts as complete.
 */

/** The folders of a store. */
export interface StoreFolders {
  readonly root: string;
  readonly journal: string;
  readonly segments: string;
}

/** A folder's state, all of it in memory or in segment files; the latter are not synced yet. */
export interface RecoveredFolder {
  readonly ledger: CopyLedger;
  readonly damage: DamageList;
  readonly catalogue: Catalogue | null;
  readonly identity: Uint8Array;
  readonly generation: number;
  readonly nextRound: number;
  /** Rounds that were found in the journal. */
  readonly replayedRounds: number;
  readonly isTorn: boolean;
}

/** What recovery works with. */
export interface RecoveryParts {
  readonly folders: StoreFolders;
  readonly partsMax: number;
  readonly files: SegmentFiles;
  readonly writeBehind: WriteBehind;
}

/** Creates what is missing below `root`, which exists. */
export async function makeFolders(root: string): Promise<StoreFolders> {
  const folders = { root, journal: join(root, 'journal'), segments: join(root, 'segments') };
  await makeFolder(folders.journal);
  await makeFolder(folders.segments);
  return folders;
}

/** Recovers a folder. Repeatable: a crash in between loses nothing. */
export async function recoverFolder(parts: RecoveryParts): Promise<RecoveredFolder> {
  const { folders, files, writeBehind } = parts;
  const start = await findStart(parts);
  const { ledger, damage, manifest } = start;
  const syncedRound = await readSyncedMark(folders.journal, manifest.identity);
  const target = { ledger, writeBehind, damage, catalogue: manifest.catalogue, syncedRound };
  const replay = new JournalReplay(target, manifest.nextRound);
  await replay.run(start.places);
  if (!start.isTrusted) ledger.distrustAll();
  await inspectSegments(folders.segments, files, ledger, damage);
  return {
    ledger,
    damage,
    catalogue: replay.catalogue,
    identity: manifest.identity,
    generation: manifest.generation,
    nextRound: replay.nextRound,
    replayedRounds: replay.rounds,
    isTorn: replay.isTorn,
  };
}

interface Start {
  readonly ledger: CopyLedger;
  readonly damage: DamageList;
  readonly manifest: Manifest;
  readonly places: readonly RoundPlace[];
  /** Whether nothing is known to be missing. */
  readonly isTrusted: boolean;
}

async function findStart(parts: RecoveryParts): Promise<Start> {
  const { folders, partsMax } = parts;
  const { manifest, isThere } = await readManifests(folders.root);
  const identity = await journalIdentity(folders.journal, partsMax);
  if (manifest === null) return rebuildStart(parts, isThere, identity);
  const ledger = new CopyLedger();
  for (const copy of manifest.copies) ledger.restore(copy);
  const damage = new DamageList(folders.root);
  const places = await findRounds(folders.journal, partsMax, manifest.identity);
  const isTrusted = identity !== null || manifest.isClosed || manifest.copies.length === 0;
  if (!isTrusted) damage.add(folders.journal, 0, 'the journal is missing: what was not in segment files is lost');
  return { ledger, damage, manifest, places, isTrusted };
}

async function rebuildStart(parts: RecoveryParts, isThere: boolean, identity: Uint8Array | null): Promise<Start> {
  const { folders, partsMax, files } = parts;
  const ledger = new CopyLedger();
  const damage = new DamageList(folders.root);
  const places = identity === null ? [] : lastRow(await findRounds(folders.journal, partsMax, identity));
  const isTrusted = !isThere && places.length === 0 && (await listSegmentFiles(folders.segments)).length === 0;
  if (!isTrusted) {
    damage.add(manifestFiles(folders.root)[0], 0, 'both manifests are damaged or missing: promises may be lost');
    for (const copy of await holdingsFromFiles(folders.segments, files)) ledger.restore(copy);
  }
  const manifest = emptyManifest(identity ?? randomBytes(IDENTITY_BYTES), places[0]?.round ?? 1);
  return { ledger, damage, manifest, places, isTrusted };
}

function emptyManifest(identity: Uint8Array, nextRound: number): Manifest {
  return { identity, generation: 0, nextRound, isClosed: true, catalogue: null, copies: [] };
}

/** The rounds up to the last, as far back as none is missing. */
function lastRow(places: readonly RoundPlace[]): RoundPlace[] {
  let first = places.length - 1;
  while (first > 0 && places[first - 1]!.round === places[first]!.round - 1) first -= 1;
  return places.slice(Math.max(0, first));
}

/** Says what was found: a line for the folder and one for every damage. */
export function logRecovery(logger: Logger, recovered: RecoveredFolder): void {
  const { ledger, replayedRounds, isTorn, damage } = recovered;
  const { partitions, segments, heldBytes } = ledger.report();
  logger.info(
    { partitions, segments, heldBytes, replayedRounds, isTorn },
    'opened, and brought the journal into files',
  );
  for (const { file, fileOffset, partition, segment, offset, message } of damage.reports())
    logger.warn({ file, fileOffset, partition, segment, offset }, message);
}
