/** Edge lists as other people publish them, read whole and simply: the oracle of everything that is loaded from a file. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Directed edges between vertices that are named by small integers, in file order. */
export interface EdgeList {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** The first `limit` edges of a file of lines `from to` (tab, space or comma between); lines that begin otherwise are no edges. */
export function readEdgeList(path: string, limit: number = Infinity): EdgeList {
  const bytes = readFileSync(path);
  return parseEdgeList((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1'), limit);
}

const EDGE_LINE = /^(\d+)[\t ,]+(\d+)/;

export function parseEdgeList(text: string, limit: number = Infinity): EdgeList {
  const from: number[] = [];
  const to: number[] = [];
  for (const line of text.split('\n')) {
    if (from.length >= limit) break;
    const match = EDGE_LINE.exec(line);
    if (match === null) continue;
    from.push(Number(match[1]));
    to.push(Number(match[2]));
  }
  return { from: Uint32Array.from(from), to: Uint32Array.from(to) };
}

/** The vertices that any edge names. */
export function verticesOf({ from, to }: EdgeList): ReadonlySet<number> {
  return new Set([...from, ...to]);
}
