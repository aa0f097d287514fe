import { partitionOfId, type BodyBuilder, type CompiledSchema } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import { OpKind, SECTION_BYTES_MAX, type SectionBuilder } from '@niobe/grid';
import { mix32, type ByteWriter } from '@niobe/kernel';
import { widened } from '../keys/key-rows.ts';
import { ID_BYTES, LINK_OP_BYTES, LinkGroups } from '../links/link-groups.ts';
import type { KnownEdges } from '../links/known-edges.ts';
import { MergedValues } from './merged-values.ts';
import type { PartitionBytes } from './partition-bytes.ts';
import type { VertexRows } from './vertex-rows.ts';

/**
 * The edges of one type that one run names: open addressing from the rows of both ends to an edge number, and by edge what is still to
 * be done. Ids are needed no earlier than when the operations are written.
 */

/** What an edge needs: its place in the list of its source, in that of its target, a merge of its counters. */
const EdgeNeed = { SOURCE: 1, TARGET: 2, COUNTERS: 4 } as const;

const LINKS = EdgeNeed.SOURCE | EdgeNeed.TARGET;
const SMALLEST_EDGES = 256;
const NO_EDGE = -1;
const OP_BYTES = 16;
const PAIR_BYTES = 16;

/** Schemas of the cells of an edge type, as they are registered. */
export interface EdgeSchemas {
  /** The list at an edge's source, and the one at its target: the same where the type has no direction. */
  readonly source: CompiledSchema;
  readonly target: CompiledSchema;
  readonly counters: CompiledSchema | null;
}

export class EdgeRows {
  readonly type: EdgeType;
  readonly from: VertexRows;
  readonly to: VertexRows;
  /** Null where the type counts nothing. */
  readonly values: MergedValues | null;
  readonly #schemas: EdgeSchemas;
  readonly #known: KnownEdges;
  readonly #sources: LinkGroups;
  readonly #targets: LinkGroups;
  readonly #builder: BodyBuilder | null;
  /** By grid partition: the last edge whose counters it keeps, and from there by edge the one before; -1 ends. */
  readonly #last: Int32Array;
  readonly #counterBytes: Uint32Array;
  readonly #counterOpBytes: number;
  #edges = 0;
  #merges = 0;
  /** By slot: edge + 1; 0 is free. Twice as many slots as edges fit. */
  #slots = new Int32Array(2 * SMALLEST_EDGES);
  #fromRows = new Uint32Array(SMALLEST_EDGES);
  #toRows = new Uint32Array(SMALLEST_EDGES);
  #needs = new Uint8Array(SMALLEST_EDGES);
  #before = new Int32Array(SMALLEST_EDGES);

  /** @param partitions grid partitions. */
  constructor(
    type: EdgeType,
    schemas: EdgeSchemas,
    from: VertexRows,
    to: VertexRows,
    known: KnownEdges,
    partitions: number,
  ) {
    this.type = type;
    this.from = from;
    this.to = to;
    this.values = schemas.counters === null ? null : new MergedValues(schemas.counters);
    this.#schemas = schemas;
    this.#builder = schemas.counters?.bodyBuilder() ?? null;
    this.#known = known;
    this.#sources = new LinkGroups(partitions);
    this.#targets = new LinkGroups(partitions);
    this.#last = new Int32Array(partitions).fill(NO_EDGE);
    this.#counterBytes = new Uint32Array(partitions);
    const bodyBytes = schemas.counters?.fields.reduce((bytes, field) => bytes + field.bytes + 1, 1) ?? 0;
    this.#counterOpBytes = schemas.counters === null ? 0 : OP_BYTES + PAIR_BYTES + bodyBytes;
  }

  /** The most that one event can add to the operations of a grid partition. */
  get eventBytesMax(): number {
    return 2 * (LINK_OP_BYTES + ID_BYTES) + this.#counterOpBytes;
  }

  /** Neighbours that are linked, each edge from both ends. */
  get links(): number {
    return this.#sources.edges + this.#targets.edges;
  }

  /** Edges whose counters are merged. */
  get merges(): number {
    return this.#merges;
  }

  /**
   * An event at `offset` names the edge between two rows. O(1) expected.
   *
   * @param counts the event tells counters.
   * @param done by grid partition: events below are in there already.
   * @param bytes is told what the operations of the grid partitions grow by, a bound from above.
   * @returns the edge whose counters are to be told, or -1.
   */
  note(
    fromRow: number,
    toRow: number,
    counts: boolean,
    offset: number,
    done: Float64Array,
    bytes: PartitionBytes,
  ): number {
    const swapped = !this.type.directed && this.from === this.to && fromRow > toRow;
    const [source, target] = swapped ? [toRow, fromRow] : [fromRow, toRow];
    const sourcePartition = this.from.ids.keys.partition(source);
    const targetPartition = this.to.ids.keys.partition(target);
    const owner = this.type.directed ? sourcePartition : Math.min(sourcePartition, targetPartition);
    const wantsSource = offset >= done[sourcePartition]! ? EdgeNeed.SOURCE : 0;
    const wantsTarget = offset >= done[targetPartition]! ? EdgeNeed.TARGET : 0;
    const wantsCounters = counts && offset >= done[owner]! ? EdgeNeed.COUNTERS : 0;
    const wanted = wantsSource | wantsTarget | wantsCounters;
    if (wanted === 0) return NO_EDGE;
    const edge = this.#edge(source, target);
    const added = wanted & ~this.#needs[edge]!;
    this.#needs[edge]! |= wanted;
    if ((added & EdgeNeed.SOURCE) !== 0) bytes.add(sourcePartition, LINK_OP_BYTES + ID_BYTES);
    if ((added & EdgeNeed.TARGET) !== 0) bytes.add(targetPartition, LINK_OP_BYTES + ID_BYTES);
    if ((added & EdgeNeed.COUNTERS) !== 0) bytes.add(owner, this.#counterOpBytes);
    return wantsCounters === 0 ? NO_EDGE : edge;
  }

  /** The edge between two rows, opened if it is new. */
  #edge(source: number, target: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(source, target) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const edge = this.#slots[slot]! - 1;
      if (this.#fromRows[edge] === source && this.#toRows[edge] === target) return edge;
    }
    return this.#open(source, target);
  }

  #open(source: number, target: number): number {
    const edge = this.#edges++;
    if (edge === this.#needs.length) this.#grow(2 * edge);
    this.#fromRows[edge] = source;
    this.#toRows[edge] = target;
    this.#needs[edge] = 0;
    this.values?.open(edge);
    this.#place(edge);
    return edge;
  }

  #grow(capacity: number): void {
    this.#fromRows = widened(this.#fromRows, new Uint32Array(capacity));
    this.#toRows = widened(this.#toRows, new Uint32Array(capacity));
    this.#needs = widened(this.#needs, new Uint8Array(capacity));
    this.#before = widened(this.#before, new Int32Array(capacity));
    this.#slots = new Int32Array(2 * capacity);
    for (let edge = 0; edge < this.#edges - 1; edge++) this.#place(edge);
  }

  #place(edge: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.#fromRows[edge]!, this.#toRows[edge]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = edge + 1;
  }

  /** Asks for the ids of both ends of every edge. */
  wantIds(): void {
    for (let edge = 0; edge < this.#edges; edge++) {
      this.from.wantId(this.#fromRows[edge]!);
      this.to.wantId(this.#toRows[edge]!);
    }
  }

  /**
   * Groups what is to be written, once the ids are read. Edges that were linked lately need no links; those that lack an end, because
   * the vertex was deleted in between, nothing.
   *
   * @returns how many edges lack an end.
   */
  close(): number {
    let lost = 0;
    this.#last.fill(NO_EDGE);
    this.#counterBytes.fill(0);
    this.#merges = 0;
    for (let edge = 0; edge < this.#edges; edge++) lost += this.#closeEdge(edge) ? 0 : 1;
    const { from, to } = this;
    const [edges, needs] = [this.#edges, this.#needs];
    this.#sources.group(from.ids, this.#fromRows, to.ids, this.#toRows, edges, needs, EdgeNeed.SOURCE);
    this.#targets.group(to.ids, this.#toRows, from.ids, this.#fromRows, edges, needs, EdgeNeed.TARGET);
    return lost;
  }

  #closeEdge(edge: number): boolean {
    const source = this.from.ids;
    const target = this.to.ids;
    const [fromRow, toRow] = [this.#fromRows[edge]!, this.#toRows[edge]!];
    if (!source.isKnown(fromRow) || !target.isKnown(toRow)) {
      this.#needs[edge] = 0;
      return false;
    }
    const [from, to] = [source.id(fromRow), target.id(toRow)];
    if (this.#known.has(this.#schemas.source.id, from, to)) this.#needs[edge]! &= ~LINKS;
    if ((this.#needs[edge]! & EdgeNeed.COUNTERS) === 0) return true;
    const owner = partitionOfId(this.type.isPairSwapped(from, to) ? to : from);
    this.#before[edge] = this.#last[owner]!;
    this.#last[owner] = edge;
    this.#counterBytes[owner]! += this.#counterOpBytes;
    this.#merges += 1;
    return true;
  }

  /** Bytes of a grid partition's operations, a bound from above; after {@link close}. */
  opBytes(partition: number): number {
    return this.#sources.opBytes(partition) + this.#targets.opBytes(partition) + this.#counterBytes[partition]!;
  }

  /** Appends the links of a grid partition; after {@link close}. */
  writeLinks(partition: number, section: SectionBuilder): void {
    const { source, target } = this.#schemas;
    this.#sources.start(partition);
    this.#sources.writeSome(section, source.id, SECTION_BYTES_MAX);
    this.#targets.start(partition);
    this.#targets.writeSome(section, target.id, SECTION_BYTES_MAX);
  }

  /** Appends the merges of counters of a grid partition, by way of `scratch`; after {@link close}. */
  writeMerges(partition: number, section: SectionBuilder, scratch: ByteWriter): void {
    const { counters } = this.#schemas;
    if (counters === null) return;
    for (let edge = this.#last[partition]!; edge !== NO_EDGE; edge = this.#before[edge]!)
      this.#writeCounters(edge, counters, section, scratch);
  }

  #writeCounters(edge: number, { id: schemaId }: CompiledSchema, section: SectionBuilder, scratch: ByteWriter): void {
    const from = this.from.ids.id(this.#fromRows[edge]!);
    const to = this.to.ids.id(this.#toRows[edge]!);
    const swapped = this.type.isPairSwapped(from, to);
    scratch.reset();
    scratch.u53(swapped ? to : from);
    scratch.u53(swapped ? from : to);
    this.#builder!.begin(scratch);
    this.values!.write(edge, this.values!.fields, this.#builder!);
    const bodyBytes = this.#builder!.end();
    const { buffer } = scratch;
    section.op(OpKind.MERGE, schemaId, 0, buffer, 0, PAIR_BYTES, buffer, PAIR_BYTES, bodyBytes);
  }

  /** Every operation is in. */
  taken(): void {
    for (let edge = 0; edge < this.#edges; edge++) {
      if ((this.#needs[edge]! & LINKS) !== LINKS) continue;
      const from = this.from.ids.id(this.#fromRows[edge]!);
      this.#known.add(this.#schemas.source.id, from, this.to.ids.id(this.#toRows[edge]!));
    }
  }

  /** Forgets the run and keeps the room. */
  clear(): void {
    if (this.#edges > 0) this.#slots.fill(0);
    this.#edges = 0;
    this.values?.clear();
  }
}

function hashOf(source: number, target: number): number {
  return mix32(source ^ mix32(target));
}
