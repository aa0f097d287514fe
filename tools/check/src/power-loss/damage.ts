/**
 * Damage on disk, done to a stopped system. A byte that is wrong in one copy is repaired from the other and reported; wrong in both,
 * its partition alone is not served. A cut or a missing copy is filled up again.
 */
import { open, readdir, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiskBackupStore, SEGMENT_HEADER_BYTES } from '@niobe/disk';
import { assert, systemClock, until, type Random } from '@niobe/kernel';
import { CubeClient } from '../cube-client.ts';
import { parseExposition } from '../metrics/exposition.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import type { Verdict } from '../verdict.ts';

const PLACES = 20;
/** Places damaged in both copies at one start; so many starts make {@link PLACES}. */
const DAMAGED_AT_ONCE = 5;
const PARTITIONS = 64;
const RECOVERY_DEADLINE_MS = 60_000;
/** A commit entry, header included, is no longer than this. */
const COMMIT_BYTES = 32;

/** A byte of a log. */
interface Place {
  readonly partition: number;
  readonly segment: number;
  readonly offset: number;
}

/** A segment as a stopped backup holds it. */
interface Held extends Place {
  readonly isSealed: boolean;
  readonly committedBytes: number;
}

type Choose = (segments: readonly Held[], random: Random) => Place[];

/** Runs every kind of damage; the system is running before and afterwards. */
export async function checkDamage(verdict: Verdict, system: LocalSystem, rows: number, random: Random): Promise<void> {
  await checkRepair(verdict, system, rows, 'a bit of a sealed segment', chooseSealed, random);
  await checkRepair(verdict, system, rows, 'a bit of the last durable commit', chooseLastCommit, random);
  for (let done = 0; done < PLACES; done += DAMAGED_AT_ONCE) await checkBothCopies(verdict, system, random);
  await checkCutHeads(verdict, system, rows, random);
  await checkDeletedFolder(verdict, system, rows);
}

async function checkRepair(
  verdict: Verdict,
  system: LocalSystem,
  rows: number,
  name: string,
  choose: Choose,
  random: Random,
): Promise<void> {
  await system.stop();
  const folder = folderOf(system, 0);
  const places = choose(await heldSegments(folder), random);
  for (const place of places) await flip(folder, place, random.below(8));
  const logAt = logLengths(system);
  await system.start();
  const reports = reportsSince(system, logAt);
  const named = places.filter((place) => reports.some((report) => names(report, place)));
  verdict.expect(
    named.length === places.length && places.length === PLACES,
    `${name} flipped in one copy, ${places.length} places: each repaired and reported`,
    `${named.length} named with partition, segment and offset`,
  );
  await expectRows(verdict, system, rows, name);
}

async function checkBothCopies(verdict: Verdict, system: LocalSystem, random: Random): Promise<void> {
  await system.stop();
  const folders = [folderOf(system, 0), folderOf(system, 1)];
  const places = chooseCommitted(await heldSegments(folders[0] ?? ''), random, DAMAGED_AT_ONCE);
  const bits = places.map(() => random.below(8));
  const flipAll = async (): Promise<void> => {
    for (const folder of folders) for (const [i, place] of places.entries()) await flip(folder, place, bits[i] ?? 0);
  };
  await flipAll();
  await system.nats.start();
  await startRecovery(system);
  const [serving, damaged] = [await countPartitions(system, 'serving'), await countPartitions(system, 'damaged')];
  verdict.expect(
    damaged === places.length && serving === PARTITIONS - places.length,
    `the same bit flipped in both copies, ${places.length} partitions: those alone are not served`,
    `${damaged} damaged, ${serving} served`,
  );
  for (const service of [...system.shards, ...system.backups]) await service.stop();
  await flipAll();
  await system.start();
}

async function startRecovery(system: LocalSystem): Promise<void> {
  for (const service of [...system.backups, ...system.shards]) service.start();
  const started = async (service: ServiceProcess): Promise<boolean> => {
    const response = await fetch(`${service.url}/startupz`).catch(() => null);
    await response?.arrayBuffer();
    return response?.status === 200;
  };
  for (const shard of system.shards) {
    await until(systemClock, () => started(shard), RECOVERY_DEADLINE_MS, `start of ${shard.name}`, 50);
  }
}

async function countPartitions(system: LocalSystem, state: string): Promise<number> {
  let count = 0;
  for (const shard of system.shards) {
    const series = parseExposition(await (await fetch(`${shard.url}/metrics`)).text());
    const found = series.find((one) => one.name.endsWith('_owned_partitions') && one.labels.includes(`"${state}"`));
    count += found?.value ?? 0;
  }
  return count;
}

async function checkCutHeads(verdict: Verdict, system: LocalSystem, rows: number, random: Random): Promise<void> {
  await system.stop();
  const folder = folderOf(system, 0);
  const places = chooseLastSegments(await heldSegments(folder), random, PLACES);
  for (const place of places) await cut(folder, place);
  await system.start();
  await expectRows(verdict, system, rows, `the heads of ${places.length} partitions cut in one copy`);
}

async function checkDeletedFolder(verdict: Verdict, system: LocalSystem, rows: number): Promise<void> {
  await system.stop();
  await rm(folderOf(system, 0), { recursive: true });
  await system.start();
  const refilled = async (): Promise<boolean> => {
    const [one, other] = await Promise.all(system.backups.map(heldBytes));
    return one === other && (one ?? 0) > 0;
  };
  await verdict.attempt('a deleted backup folder is refilled', () =>
    until(systemClock, refilled, RECOVERY_DEADLINE_MS, 'both backups holding the same', 100),
  );
  await expectRows(verdict, system, rows, 'one folder deleted');
}

async function heldBytes(backup: ServiceProcess): Promise<number> {
  const series = parseExposition(await (await fetch(`${backup.url}/metrics`)).text());
  return series.find((one) => one.name === 'niobe_backup_held_bytes')?.value ?? 0;
}

async function expectRows(verdict: Verdict, system: LocalSystem, rows: number, after: string): Promise<void> {
  const total = await new CubeClient(system.analytics.url).total('sales', 'lines');
  verdict.expect(total === rows, `${after}: nothing is lost`, `${total} of ${rows}`);
}

function folderOf(system: LocalSystem, backup: number): string {
  return join(system.dir, system.backups[backup]?.name ?? '');
}

/** The segments of a stopped backup that hold something durable. */
async function heldSegments(folder: string): Promise<Held[]> {
  const store = await DiskBackupStore.open({ folder });
  const segments: Held[] = [];
  for (const partition of store.partitions()) {
    const held = store.holding(partition).segments.filter(({ committedBytes }) => committedBytes > 0);
    for (const [i, { segment, committedBytes }] of held.entries()) {
      segments.push({ partition, segment, offset: 0, committedBytes, isSealed: i < held.length - 1 });
    }
  }
  await store.close();
  return segments;
}

/** One place in each of `count` partitions, so that every report can be told from the others. */
function choosePlaces(segments: readonly Held[], random: Random, count: number, at: (held: Held) => number): Place[] {
  const left = [...segments];
  const places = new Map<number, Place>();
  while (left.length > 0 && places.size < count) {
    const [held] = left.splice(random.below(left.length), 1);
    assert(held !== undefined, 'an index below the length finds a segment');
    if (!places.has(held.partition)) places.set(held.partition, { ...held, offset: at(held) });
  }
  return [...places.values()];
}

function chooseCommitted(segments: readonly Held[], random: Random, count: number): Place[] {
  return choosePlaces(segments, random, count, ({ committedBytes }) => random.below(committedBytes));
}

function chooseSealed(segments: readonly Held[], random: Random): Place[] {
  return chooseCommitted(
    segments.filter(({ isSealed }) => isSealed),
    random,
    PLACES,
  );
}

function chooseLastCommit(segments: readonly Held[], random: Random): Place[] {
  const heads = segments.filter(({ isSealed }) => !isSealed);
  return choosePlaces(heads, random, PLACES, ({ committedBytes }) => committedBytes - 1 - random.below(COMMIT_BYTES));
}

function chooseLastSegments(segments: readonly Held[], random: Random, count: number): Place[] {
  return chooseCommitted(
    segments.filter(({ isSealed }) => !isSealed),
    random,
    count,
  );
}

/** Flips one bit of a byte. */
async function flip(folder: string, place: Place, bit: number): Promise<void> {
  const handle = await open(await segmentFile(folder, place), 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, SEGMENT_HEADER_BYTES + place.offset);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  await handle.write(byte, 0, 1, SEGMENT_HEADER_BYTES + place.offset);
  await handle.close();
}

/** Cuts a segment's file off at a place. */
async function cut(folder: string, place: Place): Promise<void> {
  const handle = await open(await segmentFile(folder, place), 'r+');
  await handle.truncate(SEGMENT_HEADER_BYTES + place.offset);
  await handle.close();
}

/** The file of a segment of a stopped backup: `segments/<partition>/<segment>-<epoch>.segment`. */
async function segmentFile(folder: string, { partition, segment }: Place): Promise<string> {
  const dir = join(folder, 'segments', String(partition));
  const file = (await readdir(dir)).find((name) => name.startsWith(`${segment}-`));
  assert(file !== undefined, `the folder holds segment ${segment} of partition ${partition}`);
  return join(dir, file);
}

function logLengths(system: LocalSystem): ReadonlyMap<string, number> {
  return new Map(system.shards.map((shard) => [shard.launch.logFile, readFileSync(shard.launch.logFile).length]));
}

/** Log lines of the shards since then that speak of a place. */
function reportsSince(system: LocalSystem, logAt: ReadonlyMap<string, number>): Place[] {
  const reports: Place[] = [];
  for (const { launch } of system.shards) {
    const lines = readFileSync(launch.logFile).subarray(logAt.get(launch.logFile)).toString().split('\n');
    for (const line of lines) if (line.includes('damaged on')) reports.push(JSON.parse(line) as Place);
  }
  return reports;
}

/** A report names the batch that does not check: it begins at or before the byte. */
function names(report: Place, place: Place): boolean {
  return report.partition === place.partition && report.segment === place.segment && report.offset <= place.offset;
}
