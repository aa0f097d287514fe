/**
 * The sources of a file, by which the grid keeps how far it is in: `file:<name>:<bytes>:<crc>:<edge type>/<stage>`. A file that is loaded
 * again under its name goes on where it ended.
 */

/** What tells one file from another without reading all of it. */
export interface FileIdentity {
  /** Without folders. */
  readonly name: string;
  readonly bytes: number;
  /** CRC-32 of the first MiB. */
  readonly crc: number;
}

/** A cursor behind every line: the file is in as a whole. */
export const FILE_END: number = Number.MAX_SAFE_INTEGER;

/** The vertices of a run are in before its edges are sent. */
const STAGES: readonly ['vertices', 'edges'] = ['vertices', 'edges'];

/** Names of the sources of a file whose lines are edges of a type, one for each stage. */
export function fileSources({ name, bytes, crc }: FileIdentity, edge: string): readonly [string, string] {
  const [vertices, edges] = STAGES;
  const source = `file:${name}:${bytes}:${crc.toString(16).padStart(8, '0')}:${edge}`;
  return [`${source}/${vertices}`, `${source}/${edges}`];
}
