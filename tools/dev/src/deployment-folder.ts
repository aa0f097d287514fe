import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the repository; the same from `src` and from `dist`. */
export const REPOSITORY: string = resolve(import.meta.dirname, '../../..');

/** Folder of a deployment given by name, among those shipped, or by path. */
export function deploymentFolder(nameOrPath: string): string {
  const shipped = resolve(REPOSITORY, 'infra/deployments', nameOrPath);
  return existsSync(shipped) ? shipped : resolve(nameOrPath);
}
