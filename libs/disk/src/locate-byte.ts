import { join } from 'node:path';
import { JournalReplay } from './journal-replay.ts';
import { readManifest } from './manifest.ts';
import { positionOf, segmentFileName } from './segment-files.ts';
import { stat } from 'node:fs/promises';

/** A place on disk where a byte of a segment is. */
export interface BytePlace {
  readonly file: string;
  readonly fileOffset: number;
}

/**
 * Every place in a folder that holds a byte of a segment: its file, and the journal where its round is still in it. For checks that
 * damage a copy on purpose, and for looking into one. The folder must not be in use.
 */
export async function locateByte(
  folder: string,
  partition: number,
  segment: number,
  offset: number,
): Promise<BytePlace[]> {
  const { manifest } = await readManifest(folder);
  if (manifest === null) return [];
  const places: BytePlace[] = [];
  const epochs = new Set<number>();
  for (const copy of manifest.copies)
    if (copy.partition === partition)
      for (const held of copy.segments) if (held.segment === segment) epochs.add(held.epoch);
  const journal = await JournalReplay.read(folder, manifest.storeId);
  for (const replayed of journal.rounds(manifest.round)) {
    if (replayed.kind === 'lost') continue;
    for (const { row, file, fileOffset } of replayed.rows) {
      const isHere = row.partition === partition && row.segment === segment;
      if (!isHere || (row.kind !== 'append' && row.kind !== 'repair')) continue;
      epochs.add(row.segmentEpoch);
      if (offset >= row.offset && offset < row.offset + row.payloadBytes)
        places.push({ file, fileOffset: fileOffset + offset - row.offset });
    }
  }
  for (const epoch of epochs) {
    const file = join(folder, 'segments', segmentFileName({ partition, segment, epoch }));
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (positionOf(offset) < size) places.push({ file, fileOffset: positionOf(offset) });
  }
  return places;
}
