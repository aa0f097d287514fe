import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError, isMissing, isThere, syncError } from './disk-errors.ts';

/** Calls of the file system with their promise kept: whole writes, reads that say how much there was, names that last. */

/** Writes all of `bytes` at `position`: one call, unless the system takes less. */
export async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Fills `into` from `position` and says how many bytes there were before the end of the file. */
export async function readUpTo(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Syncs the data of a file and the length it needs. A failure is final, see {@link syncError}. */
export async function syncData(handle: FileHandle, file: string): Promise<void> {
  try {
    await handle.datasync();
  } catch (error) {
    throw syncError(error, file);
  }
}

/** Makes the names in a folder last: what was created, renamed or removed in it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    throw syncError(error, folder);
  } finally {
    await handle.close();
  }
}

/** Creates a folder whose parent exists, so that it lasts; true if it was not there. */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (isThere(error)) return false;
    throw diskError(error, `creating ${folder}`);
  }
  await syncFolder(dirname(folder));
  return true;
}

/** Opens a file to read it, or null where there is none. */
export async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw diskError(error, `opening ${file}`);
  }
}

/** A file's bytes up to `bytesMax`, or null where there is none. */
export async function readFileUpTo(file: string, bytesMax: number): Promise<Uint8Array | null> {
  const handle = await openIfThere(file);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.min(size, bytesMax));
    return bytes.subarray(0, await readUpTo(handle, bytes, 0));
  } catch (error) {
    throw diskError(error, `reading ${file}`);
  } finally {
    await handle.close();
  }
}
