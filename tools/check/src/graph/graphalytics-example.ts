/** The example graph of LDBC Graphalytics with its published answer of a breadth-first search. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'example-directed';
/** What the published files say for a vertex that is not reached. */
const UNREACHED = '9223372036854775807';

export interface GraphalyticsExample {
  /** Vertex and edge file, `.v` and `.e`. */
  readonly edgeFile: string;
  readonly source: number;
  /** Distance from the source of each vertex that is reached, the source included. */
  readonly distances: ReadonlyMap<number, number>;
  readonly vertices: number;
}

/** Reads the example from its folder. */
export function readGraphalyticsExample(folder: string): GraphalyticsExample {
  const read = (suffix: string): string => readFileSync(join(folder, `${NAME}${suffix}`), 'utf8');
  const source = /\.bfs\.source-vertex = (\d+)/.exec(read('.properties'))?.[1];
  const published = read('-BFS').trim().split('\n');
  return {
    edgeFile: join(folder, `${NAME}.e`),
    source: Number(source),
    distances: parseDistances(published),
    vertices: published.length,
  };
}

/** Lines `vertex distance`; those that are not reached are left out. */
export function parseDistances(lines: readonly string[]): ReadonlyMap<number, number> {
  const pairs = lines.map((line) => line.trim().split(' ') as [string, string]);
  const reached = pairs.filter(([, distance]) => distance !== UNREACHED);
  return new Map(reached.map(([vertex, distance]) => [Number(vertex), Number(distance)]));
}
