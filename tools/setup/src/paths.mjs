import { join, relative, resolve } from 'node:path';

/** Folder of the repository. */
export const rootDir = resolve(import.meta.dirname, '../../..');

/** Folder where brokers are provisioned; ignored by git. */
export const cacheDir = resolve(rootDir, process.env.NIOBE_CACHE || '.niobe');

/** A path inside the repository. */
export const inRoot = (...parts) => join(rootDir, ...parts);

/** A path inside the cache folder. */
export const inCache = (...parts) => join(cacheDir, ...parts);

/** `path` as a person at the root of the repository would type it. */
export function shown(path) {
  const short = relative(rootDir, path);
  return short.startsWith('..') ? path : short || '.';
}
