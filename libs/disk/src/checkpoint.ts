import { encodeManifest, writeManifests, type Manifest } from './manifest.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { WriteBehind } from './write-behind.ts';

/**
 * Makes a state durable without the journal: segment files first, then the manifest that relies on them. The state is taken when
 * this is called; what changes meanwhile may be in the files already, and is made once more by a replay.
 *
 * `DISK_FULL`: the last checkpoint still holds, this one may be tried again.
 */
export async function saveCheckpoint(
  root: string,
  files: SegmentFiles,
  writeBehind: WriteBehind,
  state: Manifest,
): Promise<void> {
  const manifest = encodeManifest(state);
  await writeBehind.drain();
  await files.sync();
  await writeManifests(root, manifest);
}
