import { NiobeError } from '@niobe/kernel';
import { DISK_FULL_RETRY_MS } from './limits.ts';

/** Errors of the file system as operating errors. */

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

interface SystemError {
  readonly message: string;
  readonly code: string;
  readonly errno: number;
}

/** By its shape: with several realms in a process, such as a test runner makes, its class is not always this one's. */
function isSystemError(error: unknown): error is SystemError {
  return typeof error === 'object' && error !== null && 'errno' in error && 'code' in error;
}

/** True if a file or folder was not there. */
export function isMissing(error: unknown): boolean {
  return isSystemError(error) && error.code === 'ENOENT';
}

/** True if a file was there already. */
export function isThere(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EEXIST';
}

/** True if the device could not read what it holds. */
export function isUnreadable(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EIO';
}

/**
 * What a failed call of the file system means: `DISK_FULL`, which is worth a retry, or `UNAVAILABLE`. Anything that is no such
 * error is a defect and is given back as it is.
 * @param doing such as `writing /data/manifest.0`.
 */
export function diskError(error: unknown, doing: string): unknown {
  if (!isSystemError(error)) return error;
  if (FULL.has(error.code)) return diskFull(`${doing}: ${error.code}`, error);
  return new NiobeError('UNAVAILABLE', `${doing} failed: ${error.message}`, { errno: error.code }, error);
}

/**
 * What a failed sync means: always `UNAVAILABLE`. The kernel may have dropped what it could not write, so a second sync that
 * succeeds would prove nothing.
 */
export function syncError(error: unknown, file: string): unknown {
  if (!isSystemError(error)) return error;
  const message = `syncing ${file} failed: ${error.message}; what is on the disk is not known`;
  return new NiobeError('UNAVAILABLE', message, { errno: error.code }, error);
}

/** `DISK_FULL`, saying why. */
export function diskFull(why: string, cause?: unknown): NiobeError {
  const message = `no room on the disk (${why}): free some space or give the backup server a larger disk`;
  return new NiobeError('DISK_FULL', message, { retryAfterMs: DISK_FULL_RETRY_MS }, cause);
}
