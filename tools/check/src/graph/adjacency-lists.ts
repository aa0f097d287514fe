/**
 * The neighbour lists of a graph as the cells on the shards say them. This reads what the writer of the lists leaves and shares
 * nothing with it: a list is the references in an adjacency cell and in the chain of chunks that it names, whatever their order.
 */
import type { Findings } from './findings.ts';

/** An adjacency cell: the beginning of one list. */
export interface ListHead {
  /** Cell id of the vertex whose list it is. */
  readonly owner: number;
  readonly degree: number;
  readonly chunk: number | null;
  readonly references: readonly number[];
}

/** A chunk cell: a part of one list. */
export interface Chunk {
  readonly next: number | null;
  readonly references: readonly number[];
}

/** What must hold of any graph at rest. */
export const GRAPH_RULES = {
  degree: 'degree = list length, everywhere',
  twice: 'no neighbour is listed twice',
  chain: 'every chunk is there and belongs to one list, in the partition of its vertex',
  ends: 'both ends of every edge are vertices of the declared schemas',
  sides: 'every edge is seen from both ends',
  counters: 'every edge with counters has its cell, and every such cell its edge',
} as const;

export type GraphFindings = Findings<keyof typeof GRAPH_RULES>;

const PARTITION_STEP = 2 ** 40;

/** All references of a list, chunk by chunk, at most one visit to each chunk. Chunks are taken out of `left` as lists claim them. */
export function listOf(
  name: string,
  head: ListHead,
  chunks: ReadonlyMap<number, Chunk>,
  left: Set<number>,
  findings: GraphFindings,
): number[] {
  const references = [...head.references];
  for (let at = head.chunk; at !== null;) {
    const chunk = chunks.get(at);
    if (!left.delete(at) || chunk === undefined || partitionOf(at) !== partitionOf(head.owner)) {
      findings.add(
        'chain',
        `${name} of ${head.owner} names chunk ${at}${chunk === undefined ? ', which is not there' : ''}`,
      );
      break;
    }
    for (const reference of chunk.references) references.push(reference);
    at = chunk.next;
  }
  if (references.length !== head.degree)
    findings.add('degree', `${name} of ${head.owner}: degree ${head.degree}, ${references.length} references`);
  if (new Set(references).size !== references.length) findings.add('twice', `${name} of ${head.owner}`);
  return references;
}

function partitionOf(id: number): number {
  return Math.floor(id / PARTITION_STEP);
}
