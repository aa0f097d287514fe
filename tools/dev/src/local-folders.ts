import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { REPOSITORY } from './deployment-folder.ts';

/**
 * Where the local system keeps its things: `.niobe/local/<part>/<deployment>` for data, so that deployments do not mix, and
 * `.niobe/local/logs` for logs.
 */
export interface LocalFolders {
  /** `.niobe/local` */
  readonly root: string;
  readonly logs: string;
  /** Name of the deployment. */
  readonly deployment: string;
}

export function localFolders(deployment: string): LocalFolders {
  const root = join(REPOSITORY, '.niobe/local');
  return { root, logs: join(root, 'logs'), deployment };
}

/** Data of one part of the system, such as `kafka` or `backup-0`. */
export function dataFolder(folders: LocalFolders, part: string): string {
  return join(folders.root, part, folders.deployment);
}

export function makeLogFolder(folders: LocalFolders): void {
  mkdirSync(folders.logs, { recursive: true });
}

/** Removes the data of this deployment; that of others and the logs stay. */
export function forgetData(folders: LocalFolders): void {
  for (const entry of readdirSync(folders.root, { withFileTypes: true })) {
    if (entry.isDirectory()) rmSync(dataFolder(folders, entry.name), { recursive: true, force: true });
  }
}

/** A path as the reader's shell would write it. */
export function shownPath(path: string): string {
  return relative(process.cwd(), path) || path;
}
