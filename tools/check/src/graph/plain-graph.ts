/** A graph in the memory of one process and its breadth-first search by the textbook: what a distributed search must equal. */
import type { EdgeList } from './edge-list.ts';

/** Along the edges or against them. */
export type EdgeDirection = 'out' | 'in';

/** Neighbours of all vertices in one direction, as a compressed sparse row: those of `v` are `targets[starts[v]..starts[v + 1])`. */
interface Rows {
  readonly starts: Uint32Array;
  readonly targets: Uint32Array;
}

export class PlainGraph {
  readonly #rows: Readonly<Record<EdgeDirection, Rows>>;
  readonly #ids: number;

  constructor({ from, to }: EdgeList) {
    this.#ids =
      1 +
      from.reduce(
        (most, id) => Math.max(most, id),
        to.reduce((most, id) => Math.max(most, id), 0),
      );
    this.#rows = { out: rowsOf(from, to, this.#ids), in: rowsOf(to, from, this.#ids) };
  }

  /** Edges that leave or enter `vertex`. */
  degree(vertex: number, direction: EdgeDirection): number {
    const { starts } = this.#rows[direction];
    return (starts[vertex + 1] ?? 0) - (starts[vertex] ?? 0);
  }

  /** The vertex with the most edges in a direction, the lowest of several. */
  hub(direction: EdgeDirection): number {
    let hub = 0;
    for (let id = 0; id < this.#ids; id++) if (this.degree(id, direction) > this.degree(hub, direction)) hub = id;
    return hub;
  }

  /** Distance of every vertex from `start`, -1 where it is not reached. */
  distances(start: number, direction: EdgeDirection): Int32Array {
    const { starts, targets } = this.#rows[direction];
    const distances = new Int32Array(this.#ids).fill(-1);
    const queue = [start];
    distances[start] = 0;
    for (const vertex of queue) {
      for (let at = starts[vertex] ?? 0; at < (starts[vertex + 1] ?? 0); at++) {
        const next = targets[at] ?? 0;
        if (distances[next] !== -1) continue;
        distances[next] = (distances[vertex] ?? 0) + 1;
        queue.push(next);
      }
    }
    return distances;
  }

  /** Vertices at distance 0, 1, 2 and so on. */
  levels(start: number, direction: EdgeDirection): readonly number[] {
    const levels: number[] = [];
    for (const distance of this.distances(start, direction)) {
      if (distance >= 0) levels[distance] = (levels[distance] ?? 0) + 1;
    }
    return levels;
  }
}

function rowsOf(from: Uint32Array, to: Uint32Array, ids: number): Rows {
  const starts = new Uint32Array(ids + 1);
  for (const id of from) starts[id + 1] = (starts[id + 1] ?? 0) + 1;
  for (let id = 0; id < ids; id++) starts[id + 1] = (starts[id + 1] ?? 0) + (starts[id] ?? 0);
  const next = starts.slice(0, ids);
  const targets = new Uint32Array(to.length);
  for (const [i, id] of from.entries()) {
    const at = next[id] ?? 0;
    targets[at] = to[i] ?? 0;
    next[id] = at + 1;
  }
  return { starts, targets };
}
