import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { withLock } from './lock.mjs';
import { cacheDir, inCache, shown } from './paths.mjs';
import { say, SetupError } from './setup-error.mjs';

/** Runs `work` alone among all set-ups that use the same cache folder. */
export async function withCache(part, work) {
  try {
    mkdirSync(cacheDir, { recursive: true });
    return await withLock(
      inCache('setup.lock'),
      (pid) => say(part, `waiting for process ${pid}, which is setting up`),
      work,
    );
  } catch (error) {
    throw explained(error);
  }
}

/** Removes what set-ups that were killed left half done. The lock must be held. */
export function removeLeftovers() {
  for (const name of readdirSync(cacheDir)) {
    if (name.startsWith('tmp-')) rmSync(inCache(name), { recursive: true, force: true });
  }
}

/**
 * Fills a folder of the cache by `fill(temporaryFolder)` and moves it into place by one rename, so that a folder
 * under its final name is always complete. Returns what `fill` returns: why it failed, or null.
 */
export async function provisionFolder(target, fill) {
  const temporary = mkdtempSync(inCache('tmp-'));
  try {
    const failure = await fill(temporary);
    if (failure !== null) return failure;
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
    return null;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC']);

function explained(error) {
  if (!NOT_WRITABLE.has(error.code)) return error;
  return new SetupError(
    `cannot write to the cache folder ${shown(cacheDir)} (${error.code}): make it writable, or set NIOBE_CACHE to a folder that is`,
  );
}
