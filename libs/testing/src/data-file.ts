import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { repositoryDir } from './brokers/repository.ts';

/** A data file that is there, or why it is not. */
export type DataFile = { readonly path: string; readonly why: null } | { readonly path: null; readonly why: string };

/**
 * Looks for one of the public data sets that tests and tools read: in the folder NIOBE_DATA, else in
 * `../shared/data` beside the repository.
 * @param name path inside that folder: `retail/online-retail.csv.gz`.
 */
export function dataFile(name: string): DataFile {
  const folder = resolve(repositoryDir, process.env['NIOBE_DATA'] || '../shared/data');
  const path = resolve(folder, name);
  if (existsSync(path)) return { path, why: null };
  return { path: null, why: `no data file ${name}: set NIOBE_DATA to the folder that has it` };
}
