/** The web graph with what must be found in it, by the textbook. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { dataFile } from '@niobe/testing';
import { readEdgeList, verticesOf, type EdgeList } from './edge-list.ts';
import { PlainGraph } from './plain-graph.ts';

/** Figures that its publishers give, and that this repository's data set states. */
export const PUBLISHED = { edges: 1_497_134, vertices: 325_729, eccentricity: 49, inDegree: 10_721 } as const;

export interface WebGraph {
  /** The published file, or one of its first edges. */
  readonly file: string;
  readonly isWhole: boolean;
  readonly edges: EdgeList;
  readonly vertices: number;
  /** The vertex that most edges lead to. */
  readonly hub: number;
  readonly hubDegree: number;
  /** Level counts from vertex 0 along the edges. */
  readonly levels: readonly number[];
  /** Level counts from the hub against the edges. */
  readonly hubLevels: readonly number[];
}

/** Reads the data set, or its first `limit` edges, and searches it. */
export function readWebGraph(limit: number): WebGraph {
  const published = webFile();
  const edges = readEdgeList(published, limit);
  const isWhole = !Number.isFinite(limit);
  const plain = new PlainGraph(edges);
  const hub = plain.hub('in');
  return {
    file: isWhole ? published : writeEdges(edges),
    isWhole,
    edges,
    vertices: verticesOf(edges).size,
    hub,
    hubDegree: plain.degree(hub, 'in'),
    levels: plain.levels(0, 'out'),
    hubLevels: plain.levels(hub, 'in'),
  };
}

/** Path of the published file. */
function webFile(): string {
  const { path, why } = dataFile('graphs/web-NotreDame.txt.gz');
  if (path === null) throw new NiobeError('BAD_CONFIG', `the web graph is missing: ${why}`);
  return path;
}

function writeEdges(edges: EdgeList): string {
  const file = join(tmpdir(), `niobe-web-${edges.from.length}.txt`);
  const lines = Array.from(edges.from, (from, i) => `${from}\t${edges.to[i]}\r\n`);
  writeFileSync(file, `# the first ${lines.length} edges\r\n${lines.join('')}`);
  return file;
}
