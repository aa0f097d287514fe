import type { SchemaTable } from '@niobe/cells';
import { EDGE_CHUNK_SCHEMA, EDGE_CHUNK_SCHEMA_ID } from '@niobe/grid';
import { ADJACENCY_BODY, CHUNK_BODY, type Direction } from '../edges/adjacency-schema.ts';
import type { EdgeType } from '../edges/edge-type.ts';
import { joinLists, type ListCell, type Lists, type SealedChunk } from './join-lists.ts';
import { PairCheck } from './pair-check.ts';
import { Problems } from './problems.ts';

/** What was found. */
export interface EdgeAuditReport {
  readonly vertices: number;
  /** By edge type. */
  readonly edges: ReadonlyMap<string, EdgeCount>;
  /** How much is wrong; 0 is sound. */
  readonly problemCount: number;
  /** The first of it, in words. */
  readonly problems: readonly string[];
}

/** One edge type as it was found. */
export interface EdgeCount {
  /** Edges, each once, whatever its direction. */
  readonly edges: number;
  /** Neighbours in all lists, by direction. */
  readonly ends: ReadonlyMap<Direction, number>;
}

/**
 * Checks a whole graph, from stores or over the wire: every edge is seen from both its ends, every list is as long as its degree says
 * and names each neighbour once, every neighbour is a vertex, every chunk belongs to one list, every counter to an edge.
 *
 * Give it all cells of {@link schemaNames}, in any order, while nobody writes. It keeps every reference: some 40 bytes an edge.
 */
export class EdgeAudit {
  /** Schemas of the cells it needs; those that are not known have no cells. */
  readonly schemaNames: readonly string[];
  readonly #edges: readonly EdgeType[];
  readonly #schemas: SchemaTable;
  readonly #problems = new Problems();
  readonly #vertices = new Map<string, Set<number>>();
  readonly #lists = new Map<string, Map<number, ListCell>>();
  readonly #counters = new Map<string, string[]>();
  readonly #chunks = new Map<number, SealedChunk>();

  constructor(edges: readonly EdgeType[], schemas: SchemaTable) {
    this.#edges = edges;
    this.#schemas = schemas;
    for (const { from, to, schemas: cells } of edges) {
      for (const vertex of [from, to]) this.#vertices.set(vertex, new Set());
      for (const { name, key } of cells) {
        if (key === 'id') this.#lists.set(name, new Map());
        else this.#counters.set(name, []);
      }
    }
    const names = [this.#vertices, this.#lists, this.#counters].flatMap((cells) => [...cells.keys()]);
    this.schemaNames = [EDGE_CHUNK_SCHEMA.name, ...names];
  }

  /** Takes one cell of {@link schemaNames}: its id, schema, key and checked body. */
  take(id: number, schemaId: number, bytes: Uint8Array, keyAt: number, bodyAt: number, bodyBytes: number): void {
    if (schemaId === EDGE_CHUNK_SCHEMA_ID) return this.#takeChunk(id, bytes, bodyAt, bodyBytes);
    const { name, keyType } = this.#schemas.get(schemaId)!;
    if (keyType === 'id') this.#takeList(name, bytes, keyAt, bodyAt, bodyBytes);
    else if (keyType === 'pair')
      this.#counters.get(name)!.push(this.#schemas.get(schemaId)!.decodeKey(bytes, keyAt, bodyAt - keyAt) as string);
    else this.#vertices.get(name)!.add(id);
  }

  /** What is there, once every cell was taken. */
  finish(): EdgeAuditReport {
    const edges = new Map<string, EdgeCount>();
    const lists = new Map<string, Lists>();
    for (const [name, cells] of this.#lists) lists.set(name, joinLists(name, cells, this.#chunks, this.#problems));
    for (const [id, { isUsed }] of this.#chunks) if (!isUsed) this.#problems.add(`chunk ${id}: no list names it`);
    for (const edge of this.#edges) edges.set(edge.name, this.#checkEdge(edge, lists));
    let vertices = 0;
    for (const ids of this.#vertices.values()) vertices += ids.size;
    return { vertices, edges, problemCount: this.#problems.count, problems: this.#problems.lines };
  }

  #checkEdge(edge: EdgeType, lists: ReadonlyMap<string, Lists>): EdgeCount {
    const out = lists.get(edge.adjacency('out'))!;
    const into = lists.get(edge.adjacency('in'))!;
    const check = new PairCheck(edge, out, into, this.#problems);
    const loops = check.bothEnds();
    check.vertices(this.#vertices.get(edge.from)!, this.#vertices.get(edge.to)!);
    if (edge.counterSchema !== null) check.counters(this.#counters.get(edge.counterSchema)!);
    const ends = new Map(edge.directions.map((direction) => [direction, (direction === 'in' ? into : out).ends]));
    return { edges: edge.directed ? out.ends : (out.ends + loops) / 2, ends };
  }

  #takeList(name: string, bytes: Uint8Array, keyAt: number, bodyAt: number, bodyBytes: number): void {
    const { degree, chunk, refs } = ADJACENCY_BODY.decode(bytes, bodyAt, bodyBytes);
    const ownId = ADJACENCY_BODY.decodeKey(bytes, keyAt, bodyAt - keyAt) as number;
    const head = Float64Array.from(refs as readonly number[]);
    this.#lists.get(name)!.set(ownId, { degree: degree as number, chunk: chunk as number | null, head });
  }

  #takeChunk(id: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number): void {
    const { next, refs } = CHUNK_BODY.decode(bytes, bodyAt, bodyBytes);
    const sealed = Float64Array.from(refs as readonly number[]);
    this.#chunks.set(id, { next: next as number | null, refs: sealed, isUsed: false });
  }
}
