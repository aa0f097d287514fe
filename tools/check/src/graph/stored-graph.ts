/** The whole graph of a running system, read cell by cell from all partitions and checked on the way; see {@link GRAPH_RULES}. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CellRecord } from '@niobe/cells';
import type { CellSource, ScannedCell } from '../grid-reader.ts';
import { GRAPH_RULES, listOf, type Chunk, type GraphFindings, type ListHead } from './adjacency-lists.ts';
import { eachDifference, sortedSet } from './edge-sets.ts';
import { Findings } from './findings.ts';
import { VertexTable } from './vertex-table.ts';

/** An edge type as the deployment declares it. */
export interface DeclaredEdge {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly directed?: boolean;
  readonly counters?: Readonly<Record<string, object>>;
}

/** What the cells of one edge type say. */
export interface StoredEdges {
  /** Edges as {@link VertexTable.edge}, sorted; those of an undirected type both ways. */
  readonly edges: Float64Array;
  /** Sums of the degrees; of an undirected type both are the sum over its one direction. */
  readonly sumOfOutDegrees: number;
  readonly sumOfInDegrees: number;
  /** Key and in-degree of the vertex that most edges lead to. */
  readonly inHub: { readonly key: string | number; readonly degree: number };
  /** Counters by edge; empty where the type has none. */
  readonly counters: ReadonlyMap<number, CellRecord>;
}

const CHUNK_SCHEMA = 'niobe.edge-chunk';

/** The edge types of a deployment folder. */
export function declaredEdges(deploymentDir: string): readonly DeclaredEdge[] {
  const folder = join(deploymentDir, 'edges');
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as DeclaredEdge);
}

/** A system at rest is read in one go; what is wrong is in `findings`. */
export class StoredGraph {
  readonly findings: GraphFindings = new Findings(GRAPH_RULES);
  readonly vertices: VertexTable = new VertexTable();
  /** Records of the vertices by their number. */
  readonly records: CellRecord[] = [];
  readonly byType: Map<string, StoredEdges> = new Map();
  readonly #source: CellSource;
  readonly #chunks = new Map<number, Chunk>();
  readonly #unclaimed = new Set<number>();

  private constructor(source: CellSource) {
    this.#source = source;
  }

  static async read(source: CellSource, types: readonly DeclaredEdge[]): Promise<StoredGraph> {
    const graph = new StoredGraph(source);
    for (const schema of new Set(types.flatMap(({ from, to }) => [from, to]))) await graph.#readVertices(schema);
    await graph.#readChunks();
    for (const type of types) graph.byType.set(type.name, await graph.#readEdges(type));
    for (const chunk of graph.#unclaimed) graph.findings.add('chain', `chunk ${chunk} belongs to no list`);
    return graph;
  }

  async #readVertices(schema: string): Promise<void> {
    for await (const { id, key, record } of this.#source.cells(schema)) {
      this.vertices.add(schema, id, key);
      this.records.push(record);
    }
  }

  async #readChunks(): Promise<void> {
    for await (const { id, record } of this.#source.cells(CHUNK_SCHEMA)) {
      this.#chunks.set(id, { next: record['next'] as number | null, references: record['refs'] as number[] });
      this.#unclaimed.add(id);
    }
  }

  async #readEdges(type: DeclaredEdge): Promise<StoredEdges> {
    const { name, from, to } = type;
    const isDirected = type.directed ?? true;
    const out = await this.#readSide(`edge.${name}.${isDirected ? 'out' : 'both'}`, from, to);
    const into = isDirected ? await this.#readSide(`edge.${name}.in`, to, from) : out;
    const edges = sortedSet(out.edges);
    const seenFromTheOther = sortedSet(into.edges.map((edge) => this.vertices.reversed(edge)));
    eachDifference(edges, seenFromTheOther, (edge, side) =>
      this.findings.add(
        'sides',
        `${name} ${this.vertices.describe(edge)} only at its ${side === 'left' ? 'first' : 'second'}`,
      ),
    );
    const counters =
      type.counters === undefined ? new Map<number, CellRecord>() : await this.#readCounters(type, edges);
    return { edges, sumOfOutDegrees: out.degrees, sumOfInDegrees: into.degrees, inHub: into.hub, counters };
  }

  /** The lists of one direction as edges from their owners. */
  async #readSide(adjacency: string, ownSchema: string, otherSchema: string): Promise<Side> {
    const side: Side = { edges: [], degrees: 0, hub: { key: '', degree: 0 } };
    for await (const cell of this.#source.cells(adjacency)) {
      const head = headOf(cell);
      const own = this.vertices.numberOfId(ownSchema, head.owner);
      if (own === -1) this.findings.add('ends', `${adjacency} of ${head.owner}: no ${ownSchema} has this id`);
      const references = listOf(adjacency, head, this.#chunks, this.#unclaimed, this.findings);
      for (const reference of references) {
        const other = this.vertices.numberOfId(otherSchema, reference);
        if (other === -1)
          this.findings.add('ends', `${adjacency} of ${head.owner} names ${reference}: no ${otherSchema}`);
        else if (own !== -1) side.edges.push(this.vertices.edge(own, other));
      }
      side.degrees += head.degree;
      if (head.degree > side.hub.degree) side.hub = { key: this.vertices.keyOf(own), degree: head.degree };
    }
    return side;
  }

  async #readCounters(type: DeclaredEdge, edges: Float64Array): Promise<Map<number, CellRecord>> {
    const counters = new Map<number, CellRecord>();
    for await (const { key, record } of this.#source.cells(`edge.${type.name}`)) {
      const [from = NaN, to = NaN] = String(key).split(':').map(Number);
      const ends = [this.vertices.numberOfId(type.from, from), this.vertices.numberOfId(type.to, to)] as const;
      if (ends.includes(-1)) this.findings.add('counters', `${type.name} ${key}: an end is no vertex`);
      else counters.set(this.vertices.edge(...ends), record);
    }
    const once =
      (type.directed ?? true)
        ? edges
        : edges.filter((edge) => counters.has(edge) || !counters.has(this.vertices.reversed(edge)));
    eachDifference(once, sortedSet([...counters.keys()]), (edge, side) =>
      this.findings.add(
        'counters',
        `${type.name} ${this.vertices.describe(edge)} has no ${side === 'left' ? 'cell' : 'edge'}`,
      ),
    );
    return counters;
  }
}

interface Side {
  readonly edges: number[];
  degrees: number;
  hub: { readonly key: string | number; readonly degree: number };
}

function headOf({ key, record }: ScannedCell): ListHead {
  return {
    owner: Number(key),
    degree: Number(record['degree']),
    chunk: record['chunk'] as number | null,
    references: record['refs'] as number[],
  };
}
