import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyHolding, CopyLedger, SegmentHolding } from '@niobe/replication';
import { atATime } from './at-a-time.ts';
import type { DamageList } from './damage-list.ts';
import { diskError } from './disk-errors.ts';
import { FILES_AT_A_TIME, SEGMENT_HEADER_BYTES } from './limits.ts';
import type { SegmentFiles } from './segment-files.ts';
import { readSegmentFile, segmentFile, segmentHeader, type SegmentName } from './segment-name.ts';

/**
 * Segment files against the ledger, when a store is opened.
 *
 * The ledger says how much is held, the files how much is there. What is missing stays in the ledger: the primary asks for it, is
 * given less, and repairs it. The bytes themselves are not looked at here; they carry the checksums of their batches.
 */

/** All segment files below a folder, by partition, segment and epoch. */
export async function listSegmentFiles(folder: string): Promise<SegmentName[]> {
  const names: SegmentName[] = [];
  for (const partition of await entriesOf(folder)) {
    if (!/^\d{1,4}$/.test(partition)) continue;
    for (const file of await entriesOf(join(folder, partition))) {
      const name = readSegmentFile(Number(partition), file);
      if (name !== null) names.push(name);
    }
  }
  return names.sort((a, b) => a.partition - b.partition || a.segment - b.segment || a.epoch - b.epoch);
}

async function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    throw diskError(error, `listing ${folder}`);
  });
}

/** Reports what the ledger holds and the files do not have, and moves aside the files that the ledger does not know. */
export async function inspectSegments(
  folder: string,
  files: SegmentFiles,
  ledger: CopyLedger,
  damage: DamageList,
): Promise<void> {
  const unknown = new Map((await listSegmentFiles(folder)).map((name) => [segmentFile(name), name]));
  for (const partition of ledger.partitions())
    await atATime(ledger.holding(partition).segments, FILES_AT_A_TIME, async ({ segment, epoch, heldBytes }) => {
      const name = { partition, segment, epoch };
      unknown.delete(segmentFile(name));
      if (heldBytes > 0) await inspectSegment(files, name, heldBytes, damage);
    });
  for (const name of unknown.values()) await moveAside(folder, name, damage);
}

async function inspectSegment(
  files: SegmentFiles,
  name: SegmentName,
  heldBytes: number,
  damage: DamageList,
): Promise<void> {
  const file = files.pathOf(name);
  const fileBytes = await files.fileBytes(name);
  const thereBytes = Math.max(0, (fileBytes ?? 0) - SEGMENT_HEADER_BYTES);
  const { partition, segment } = name;
  if (thereBytes < heldBytes) {
    const message = `${heldBytes - thereBytes} of ${heldBytes} durable bytes are missing`;
    damage.add(file, fileBytes ?? 0, message, { partition, segment, offset: thereBytes });
  }
  if (fileBytes === null || (await hasHeader(files, name))) return;
  // What was written since the last sync may be torn; all that the header says is in the ledger too.
  if (!files.isChanged(name))
    damage.add(file, 0, 'the header did not check and was written anew', { partition, segment });
  await files.rewriteHeader(name);
}

async function hasHeader(files: SegmentFiles, name: SegmentName): Promise<boolean> {
  const header = await files.readRaw(name, 0, SEGMENT_HEADER_BYTES);
  return Buffer.compare(header, segmentHeader(name)) === 0;
}

async function moveAside(folder: string, name: SegmentName, damage: DamageList): Promise<void> {
  const file = join(folder, segmentFile(name));
  await rename(file, `${file}.unknown`).catch((error: unknown) => {
    throw diskError(error, `moving ${file}`);
  });
  damage.add(file, 0, 'a segment that is not held; its file was moved aside, to the same name with .unknown', name);
}

/**
 * What can be known of the copies from their files alone, for a store that lost both manifests. No copy is complete, no batch is
 * known to be whole, and nothing is promised.
 */
export async function holdingsFromFiles(folder: string, files: SegmentFiles): Promise<CopyHolding[]> {
  const segments = new Map<number, Map<number, SegmentHolding>>();
  for (const name of await listSegmentFiles(folder)) {
    if (!(await hasHeader(files, name))) continue;
    const { partition, segment, epoch } = name;
    const heldBytes = (await files.fileBytes(name))! - SEGMENT_HEADER_BYTES;
    const copy = segments.get(partition) ?? new Map<number, SegmentHolding>();
    segments.set(partition, copy.set(segment, { segment, epoch, heldBytes, committedBytes: 0 }));
  }
  return [...segments].map(([partition, copy]) => ({
    partition,
    promised: null,
    completeEpoch: 0,
    segments: [...copy.values()],
  }));
}
