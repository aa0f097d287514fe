import { resolve } from 'node:path';

/** Folder of the repository; the same from `src` and from `dist`. */
export const repositoryDir: string = resolve(import.meta.dirname, '../../../..');

/** A path inside the repository. */
export function inRepository(...parts: string[]): string {
  return resolve(repositoryDir, ...parts);
}
