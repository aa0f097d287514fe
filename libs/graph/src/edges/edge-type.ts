import { assert } from '@niobe/kernel';
import type { FieldDeclaration, SchemaDeclaration } from '@niobe/cells';
import { adjacencyName, adjacencySchema, type Direction } from './adjacency-schema.ts';
import type { CounterDeclaration, CounterMerge, EdgeDeclaration } from './edge-declaration.ts';

/** A counter of an edge type, with its defaults. */
export interface EdgeCounter extends CounterDeclaration {
  readonly name: string;
  readonly merge: CounterMerge;
}

/** A declared edge type and the cell schemas it needs; made by `compileEdgeTypes`. */
export class EdgeType {
  readonly name: string;
  /** Cell schema of the vertices it leaves. */
  readonly from: string;
  /** Cell schema of the vertices it comes to. */
  readonly to: string;
  /** An edge without direction lists both its ends under one adjacency. */
  readonly directed: boolean;
  /** Directions that have an adjacency of their own. */
  readonly directions: readonly Direction[];
  readonly counters: readonly EdgeCounter[];
  /** Schema of the cells that keep the counters, by pair of ids; null where nothing is counted. */
  readonly counterSchema: string | null;
  /** Everything to be registered in the catalogue. */
  readonly schemas: readonly SchemaDeclaration[];

  /** @param declaration one that was checked */
  constructor(declaration: EdgeDeclaration) {
    this.name = declaration.name;
    this.from = declaration.from;
    this.to = declaration.to;
    this.directed = declaration.directed ?? true;
    this.counters = Object.entries(declaration.counters ?? {}).map(([name, counter]) => ({
      ...counter,
      name,
      merge: counter.merge ?? 'add',
    }));
    this.directions = this.directed ? ['out', 'in'] : ['both'];
    const adjacencies = this.directions.map((direction) => adjacencySchema(this.name, direction));
    this.counterSchema = this.counters.length === 0 ? null : `edge.${this.name}`;
    this.schemas = this.counterSchema === null ? adjacencies : [...adjacencies, this.#counterCells(this.counterSchema)];
  }

  /**
   * Name of the schema that lists a vertex's neighbours over edges that leave it (`out`) or come to it (`in`); without direction there
   * is one for all. Both of a directed type are two schemas: see {@link adjacencies}.
   */
  adjacency(direction: Direction): string {
    assert(!this.directed || direction !== 'both', 'one direction of a directed edge type is asked for');
    return adjacencyName(this.name, this.directed ? direction : 'both');
  }

  /** Names of the schemas that together list a vertex's neighbours in a direction. */
  adjacencies(direction: Direction): readonly string[] {
    if (direction === 'both' && this.directed) return [this.adjacency('out'), this.adjacency('in')];
    return [this.adjacency(direction)];
  }

  /** True where the counters of the edge from one cell id to another are kept under the pair (to, from): lower id first if undirected. */
  isPairSwapped(from: number, to: number): boolean {
    return !this.directed && from > to;
  }

  /** A delta need not tell every counter, so each may be null, which adds nothing. */
  #counterCells(name: string): SchemaDeclaration {
    const fields: Record<string, FieldDeclaration> = {};
    for (const { name: counter, ...declaration } of this.counters) fields[counter] = { ...declaration, optional: true };
    return { name, key: 'pair', fields };
  }
}
