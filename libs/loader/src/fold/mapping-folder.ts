import type { EventFolder, FoldStage } from '@niobe/aggregates';
import type { CompiledSchema } from '@niobe/cells';
import type { EventType, EventValue, ReadEvent } from '@niobe/events';
import type { Counter } from '@niobe/kernel';
import type { IdCache } from '../keys/id-cache.ts';
import type { IdSource } from '../keys/id-source.ts';
import type { KnownEdges } from '../links/known-edges.ts';
import type { Assignment, EdgeRule, Mapping, VertexRule } from '../mapping/mapping.ts';
import { EdgeRows, type EdgeSchemas } from './edge-rows.ts';
import { EdgeStage } from './edge-stage.ts';
import { PartitionBytes } from './partition-bytes.ts';
import { registeredSets } from './registered-sets.ts';
import { RUN_KEY_BYTES_MAX, VertexRows } from './vertex-rows.ts';
import { VertexStage } from './vertex-stage.ts';

/**
 * Folds a run of events of one Kafka partition into vertices and edges: for each vertex one merge, for each edge its places in two lists
 * and one merge of its counters.
 *
 * 1. The grid partition of a vertex follows from its key, and so do those of an edge's two lists and of its counters. So an event below
 *    the cursor of a grid partition is passed over for what that partition keeps and for nothing else.
 * 2. First the vertices are sent. Then their ids are read, and the edges are sent: a list and the key of counters are made of ids.
 * 3. Lists are sets, so linking again is harmless; counters rest on the cursors alone.
 *
 * A share has a folder of its own, because a run must be remembered until its edges are sent.
 */

/** Operations of one grid partition in one stage and run, as estimated; with one event more they stay below a frame. */
export const STAGE_BYTES_MAX: number = 512 * 1024;

/** What folders of a process have together. */
export interface FolderSurroundings {
  /** Grid partitions. */
  readonly partitions: number;
  readonly schemaOf: (name: string) => CompiledSchema;
  readonly ids: IdSource;
  readonly cache: IdCache;
  readonly known: KnownEdges;
  readonly counters: FolderCounters;
}

/** What folders count. */
export interface FolderCounters {
  /** Vertices and edges that were not made because the event lacks a key. */
  readonly absentKeys: Counter;
  /** Edges that were not made because a vertex was deleted in between. */
  readonly lostEdges: Counter;
  /** Values passed over because a sum would not fit its field. */
  readonly overflows: Counter;
  readonly vertices: Counter;
  readonly links: Counter;
  readonly edgeMerges: Counter;
}

interface VertexReader {
  readonly rows: VertexRows;
  readonly key: number;
  readonly sets: readonly Assignment[];
}

interface EdgeReader {
  readonly rows: EdgeRows;
  readonly from: number;
  readonly to: number;
  readonly adds: readonly Assignment[];
}

/** How one event type is read by one mapping. */
interface RuleReader {
  readonly vertices: readonly VertexReader[];
  readonly edges: readonly EdgeReader[];
}

export class MappingFolder implements EventFolder {
  readonly stages: readonly FoldStage[];
  readonly expired = 0;
  readonly #counters: FolderCounters;
  readonly #vertices: VertexRows[] = [];
  readonly #edges: EdgeRows[] = [];
  readonly #readers = new Map<EventType, RuleReader[]>();
  readonly #vertexBytes: PartitionBytes;
  readonly #edgeBytes: PartitionBytes;
  #verticesDone: Float64Array;
  #edgesDone: Float64Array;
  /** By vertex of the rule that is folded: its row, or -1. */
  readonly #rows: Int32Array;

  constructor(mappings: readonly Mapping[], around: FolderSurroundings) {
    const { partitions, counters } = around;
    this.#counters = counters;
    this.#vertexBytes = new PartitionBytes(partitions);
    this.#edgeBytes = new PartitionBytes(partitions);
    this.#verticesDone = this.#edgesDone = new Float64Array(partitions);
    const rules = mappings.flatMap((mapping) => mapping.rules);
    for (const rule of rules) {
      const vertices = rule.vertices.map((vertex) => this.#vertexReader(vertex, around));
      const edges = rule.edges.map((edge) => this.#edgeReader(edge, vertices, around));
      this.#readers.set(rule.type, [...(this.#readers.get(rule.type) ?? []), { vertices, edges }]);
    }
    this.#rows = new Int32Array(Math.max(0, ...rules.map(({ vertices }) => vertices.length)));
    this.stages = [
      new VertexStage(this.#vertices, this.#vertexBytes, counters),
      new EdgeStage(this.#edges, this.#vertices, around.ids, counters),
    ];
  }

  #vertexReader({ schema, key, sets }: VertexRule, { partitions, schemaOf, cache }: FolderSurroundings): VertexReader {
    const known = this.#vertices.find((rows) => rows.schema.name === schema.name);
    const rows = known ?? new VertexRows(schemaOf(schema.name), partitions, cache);
    if (known === undefined) this.#vertices.push(rows);
    return { rows, key, sets: registeredSets(rows.schema, Object.keys(schema.fields), sets) };
  }

  #edgeReader(rule: EdgeRule, vertices: readonly VertexReader[], around: FolderSurroundings): EdgeReader {
    const { edge, from, to } = rule;
    const ends = [vertices[from]!.rows, vertices[to]!.rows] as const;
    const known = this.#edges.find(({ type }) => type === edge);
    const schemas = schemasOf(rule, around);
    const rows = known ?? new EdgeRows(edge, schemas, ...ends, around.known, around.partitions);
    if (known === undefined) this.#edges.push(rows);
    const names = edge.counters.map(({ name }) => name);
    const adds = schemas.counters === null ? [] : registeredSets(schemas.counters, names, rule.adds);
    return { rows, from, to, adds };
  }

  get full(): boolean {
    if (this.#vertexBytes.largest > STAGE_BYTES_MAX || this.#edgeBytes.largest > STAGE_BYTES_MAX) return true;
    for (const { ids } of this.#vertices) if (ids.keys.keyBytes > RUN_KEY_BYTES_MAX) return true;
    return false;
  }

  begin(done: readonly Float64Array[]): void {
    for (const rows of this.#vertices) rows.clear();
    for (const rows of this.#edges) rows.clear();
    this.#vertexBytes.clear();
    this.#edgeBytes.clear();
    [this.#verticesDone, this.#edgesDone] = done as [Float64Array, Float64Array];
  }

  fold(event: ReadEvent, offset: number): string | null {
    const readers = this.#readers.get(event.type);
    if (readers === undefined) return null;
    for (const { vertices, edges } of readers) {
      for (let v = 0; v < vertices.length; v++) this.#rows[v] = this.#foldVertex(vertices[v]!, event, offset);
      for (const edge of edges) this.#foldEdge(edge, event, offset);
    }
    return null;
  }

  #foldVertex({ rows, key, sets }: VertexReader, event: ReadEvent, offset: number): number {
    const row = rows.row(event.values[key]!);
    if (row < 0) {
      this.#counters.absentKeys.add(1);
      return row;
    }
    const partition = rows.ids.keys.partition(row);
    if (offset < this.#verticesDone[partition]!) return row;
    this.#vertexBytes.add(partition, rows.touch(row, sets.length > 0));
    for (const set of sets) {
      const value = valueOf(set, event);
      rows.values.tell(row, set.field, value);
      if (typeof value === 'string') this.#vertexBytes.add(partition, UTF8_BYTES_MAX * value.length);
      else if (value instanceof Uint8Array) this.#vertexBytes.add(partition, value.length);
    }
    return row;
  }

  #foldEdge({ rows, from, to, adds }: EdgeReader, event: ReadEvent, offset: number): void {
    const fromRow = this.#rows[from]!;
    const toRow = this.#rows[to]!;
    if (fromRow < 0 || toRow < 0) return this.#counters.absentKeys.add(1);
    const edge = rows.note(fromRow, toRow, adds.length > 0, offset, this.#edgesDone, this.#edgeBytes);
    if (edge < 0) return;
    for (const add of adds) rows.values!.tell(edge, add.field, valueOf(add, event));
  }
}

/** Bytes of UTF-8 that one unit of UTF-16 takes, at most. */
const UTF8_BYTES_MAX = 3;

function valueOf({ value }: Assignment, event: ReadEvent): EventValue {
  if (value.kind === 'field') return event.values[value.index]!;
  return value.kind === 'time' ? event.timeMs : value.constant;
}

function schemasOf({ edge }: EdgeRule, { schemaOf }: FolderSurroundings): EdgeSchemas {
  return {
    source: schemaOf(edge.adjacency('out')),
    target: schemaOf(edge.adjacency('in')),
    counters: edge.counterSchema === null ? null : schemaOf(edge.counterSchema),
  };
}
