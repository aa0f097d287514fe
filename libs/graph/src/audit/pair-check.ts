import type { EdgeType } from '../edges/edge-type.ts';
import { includes, type Lists } from './join-lists.ts';
import type { Problems } from './problems.ts';

/** Compares the two sides of one edge type. An undirected one has the same lists on both. */
export class PairCheck {
  readonly #edge: EdgeType;
  readonly #out: Lists;
  readonly #in: Lists;
  readonly #problems: Problems;

  constructor(edge: EdgeType, out: Lists, into: Lists, problems: Problems) {
    this.#edge = edge;
    this.#out = out;
    this.#in = into;
    this.#problems = problems;
  }

  /** Every edge is listed at both ends; returns how many lead from a vertex to itself. */
  bothEnds(): number {
    const loops = this.#mirrored(this.#out, this.#in, this.#edge.adjacency('in'));
    if (this.#edge.directed) this.#mirrored(this.#in, this.#out, this.#edge.adjacency('out'));
    return loops;
  }

  #mirrored(lists: Lists, others: Lists, otherSchema: string): number {
    let loops = 0;
    for (const [ownId, list] of lists.of)
      for (const ref of list) {
        if (ref === ownId) loops += 1;
        if (!includes(others.of.get(ref), ownId))
          this.#problems.add(`${otherSchema} of vertex ${ref}: does not list ${ownId}, which lists it`);
      }
    return loops;
  }

  /** Every list belongs to a vertex. With {@link bothEnds} every neighbour then is one. */
  vertices(from: ReadonlySet<number>, to: ReadonlySet<number>): void {
    const { directed, name } = this.#edge;
    const say = (id: number): void => this.#problems.add(`edge ${name}: ${id} has neighbours and is no vertex`);
    for (const id of this.#out.of.keys()) if (!from.has(id) && (directed || !to.has(id))) say(id);
    if (directed) for (const id of this.#in.of.keys()) if (!to.has(id)) say(id);
  }

  /** Every counter cell, given by its key, belongs to an edge. */
  counters(pairs: readonly string[]): void {
    for (const pair of pairs) {
      const [from, to] = pair.split(':').map(Number) as [number, number];
      if (!includes(this.#out.of.get(from), to))
        this.#problems.add(`${this.#edge.counterSchema} ${pair}: no such edge`);
      else if (this.#edge.isPairSwapped(from, to))
        this.#problems.add(`${this.#edge.counterSchema} ${pair}: is swapped`);
    }
  }
}
