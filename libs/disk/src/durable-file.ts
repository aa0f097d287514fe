import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What it takes for files to survive a power loss: their bytes synced, and the folder that names them. */

/** Makes creations, renames and removals in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Reads `bytes` bytes at `position`, or fewer where the file ends. */
export async function readFully(handle: FileHandle, bytes: number, position: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await handle.read(whole, at, bytes - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return whole.subarray(0, at);
}

/** Creates a file under another name, and gives it its own once it is durable: it is there whole or not at all. */
export async function createDurably(path: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
  const draft = `${path}.draft`;
  try {
    const handle = await open(draft, 'w');
    try {
      await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
