import type { Problems } from './problems.ts';

/** An adjacency cell as it was found. */
export interface ListCell {
  readonly degree: number;
  readonly chunk: number | null;
  readonly head: Float64Array;
}

/** An edge chunk as it was found. */
export interface SealedChunk {
  readonly next: number | null;
  readonly refs: Float64Array;
  /** A list names it. */
  isUsed: boolean;
}

/** All lists of one adjacency schema. */
export interface Lists {
  /** Neighbours by vertex, ascending. */
  readonly of: ReadonlyMap<number, Float64Array>;
  /** Neighbours of all vertices. */
  readonly ends: number;
}

/** Joins heads and chunks to whole lists, and tells what does not fit. */
export function joinLists(
  schema: string,
  cells: ReadonlyMap<number, ListCell>,
  chunks: ReadonlyMap<number, SealedChunk>,
  problems: Problems,
): Lists {
  const of = new Map<number, Float64Array>();
  let ends = 0;
  for (const [ownId, cell] of cells) {
    const say = (what: string): void => problems.add(`${schema} of vertex ${ownId}: ${what}`);
    const list = joinList(cell, chunks, say);
    if (list.length !== cell.degree) say(`degree ${cell.degree}, ${list.length} neighbours`);
    of.set(ownId, list);
    ends += list.length;
  }
  return { of, ends };
}

function joinList(
  { head, chunk }: ListCell,
  chunks: ReadonlyMap<number, SealedChunk>,
  say: (what: string) => void,
): Float64Array {
  const parts = [head];
  for (let id = chunk; id !== null;) {
    const found = chunks.get(id);
    if (found === undefined || found.isUsed) {
      say(`chunk ${id} ${found === undefined ? 'is missing' : 'is named twice'}`);
      break;
    }
    found.isUsed = true;
    if (found.refs.length === 0 || !isAscending(found.refs)) say(`chunk ${id} is empty or not sorted`);
    parts.push(found.refs);
    id = found.next;
  }
  const list = concatenated(parts).sort();
  if (!isAscending(list)) say('a neighbour is listed twice');
  return list;
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function isAscending(refs: Float64Array): boolean {
  for (let i = 1; i < refs.length; i++) if (refs[i]! <= refs[i - 1]!) return false;
  return true;
}

/** True if `ref` is in an ascending list; by binary search. */
export function includes(list: Float64Array | undefined, ref: number): boolean {
  if (list === undefined) return false;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < ref) low = middle + 1;
    else high = middle;
  }
  return list[low] === ref;
}
