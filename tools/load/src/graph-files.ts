import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import type { GraphFormat, Rows } from '@niobe/loader';

/** A file and what its lines are. */
export interface GraphPath {
  readonly path: string;
  readonly rows: Rows;
}

/** The files of a graph, in the order in which they are loaded. `NOT_FOUND`, `BAD_REQUEST`. */
export function graphPaths(path: string, format: GraphFormat): GraphPath[] {
  if (format !== 'graphalytics') return [{ path, rows: 'edges' }];
  const name = isFolder(path) ? join(path, onlyGraphIn(path)) : path.replace(PAIR_END, '');
  return [
    { path: existing(`${name}.v`), rows: 'vertices' },
    { path: existing(`${name}.e`), rows: 'edges' },
  ];
}

/** What the names of the two files end in. */
const PAIR_END = /\.[ve](\.gz)?$/;

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function onlyGraphIn(folder: string): string {
  const files = readdirSync(folder).filter((file) => PAIR_END.test(file));
  const names = [...new Set(files.map((file) => file.replace(PAIR_END, '')))];
  if (names.length === 1) return names[0]!;
  const found = names.length === 0 ? 'no pair of files name.v, name.e' : `several graphs: ${names.join(', ')}`;
  throw new NiobeError('BAD_REQUEST', `${folder} has ${found}; name one`);
}

function existing(path: string): string {
  for (const found of [path, `${path}.gz`]) if (existsSync(found)) return found;
  throw new NiobeError('NOT_FOUND', `there is no ${path}, compressed or not: a graphalytics graph is two files`);
}
