import { partitionOfId } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import { SECTION_BYTES_MAX, type SectionBuilder } from '@niobe/grid';
import type { EdgeSchemas } from '../fold/edge-rows.ts';
import { PartitionBytes } from '../fold/partition-bytes.ts';
import { ID_BYTES, LINK_OP_BYTES, LinkGroups } from '../links/link-groups.ts';
import type { FileVertices } from './file-vertices.ts';
import type { RowCounters } from './row-counters.ts';
import type { RowFields } from './row-fields.ts';

/** Bytes for one grid partition at which a run ends: at most 16,384 neighbours, which a store can take in one batch as a rule. */
const SECTION_BYTES: number = 512 * 1024;
const LINK = 1;

/**
 * The edges of a run of lines, as columns. Once the ids of all ends are known they are grouped: each vertex gets its neighbours in one
 * operation, from both ends of each edge; each row merges what it counts.
 */
export class FileRun {
  /** Lines of the file up to the end of the run. */
  end = 0;
  edges = 0;
  readonly #type: EdgeType;
  readonly #schemas: EdgeSchemas;
  readonly #from: FileVertices;
  readonly #to: FileVertices;
  readonly #counters: RowCounters | null;
  readonly #fromRows: Uint32Array;
  readonly #toRows: Uint32Array;
  /** {@link LINK}, or 0 for an edge that lacks an end. */
  readonly #needs: Uint8Array;
  /** Bounds from above, while edges are added. */
  readonly #bytes: PartitionBytes;
  readonly #sources: LinkGroups;
  readonly #targets: LinkGroups;

  /**
   * @param edgesMax edges at which a run ends.
   * @param partitions grid partitions.
   */
  constructor(
    type: EdgeType,
    schemas: EdgeSchemas,
    from: FileVertices,
    to: FileVertices,
    counters: RowCounters | null,
    edgesMax: number,
    partitions: number,
  ) {
    this.#fromRows = new Uint32Array(edgesMax);
    this.#toRows = new Uint32Array(edgesMax);
    this.#needs = new Uint8Array(edgesMax);
    this.#type = type;
    this.#schemas = schemas;
    this.#from = from;
    this.#to = to;
    this.#counters = counters;
    this.#bytes = new PartitionBytes(partitions);
    this.#sources = new LinkGroups(partitions);
    this.#targets = new LinkGroups(partitions);
  }

  /** The run is to be cut before the next edge. */
  get isFull(): boolean {
    const largest = Math.max(this.#bytes.largest, this.#from.largestBytes, this.#to.largestBytes);
    return this.edges === this.#needs.length || largest >= SECTION_BYTES;
  }

  begin(): void {
    this.edges = 0;
    this.#bytes.clear();
    this.#counters?.clear();
    this.#from.begin();
    if (this.#to !== this.#from) this.#to.begin();
  }

  /** Adds the edge of a line. Throws `SCHEMA_VIOLATION` where the line tells counters that are none; it is not added then. */
  add(fromRow: number, toRow: number, line: number, bytes: Uint8Array, fields: RowFields): void {
    const source = this.#from.ids.keys.partition(fromRow);
    const target = this.#to.ids.keys.partition(toRow);
    if (this.#counters !== null) {
      const owner = this.#type.directed ? source : Math.min(source, target);
      this.#bytes.add(owner, this.#counters.add(this.edges, line, bytes, fields));
    }
    this.#bytes.add(source, LINK_OP_BYTES + ID_BYTES);
    this.#bytes.add(target, LINK_OP_BYTES + ID_BYTES);
    this.#fromRows[this.edges] = fromRow;
    this.#toRows[this.edges] = toRow;
    this.edges += 1;
  }

  /**
   * Groups the edges, once the ids of the vertices were read.
   *
   * @param done by grid partition: lines below are in there.
   * @returns how many edges lack an end, because the vertex was deleted since it was written.
   */
  close(done: Float64Array): number {
    const [from, to] = [this.#from.ids, this.#to.ids];
    let lost = 0;
    this.#counters?.begin();
    for (let edge = 0; edge < this.edges; edge++) {
      const isWhole = from.isKnown(this.#fromRows[edge]!) && to.isKnown(this.#toRows[edge]!);
      this.#needs[edge] = isWhole ? LINK : 0;
      if (!isWhole) lost += 1;
      else if (this.#counters !== null) this.#placeCounters(this.#counters, edge, done);
    }
    this.#sources.group(from, this.#fromRows, to, this.#toRows, this.edges, this.#needs, LINK);
    this.#targets.group(to, this.#toRows, from, this.#fromRows, this.edges, this.#needs, LINK);
    return lost;
  }

  #placeCounters(counters: RowCounters, edge: number, done: Float64Array): void {
    const from = this.#from.ids.id(this.#fromRows[edge]!);
    const to = this.#to.ids.id(this.#toRows[edge]!);
    const [first, second] = this.#type.isPairSwapped(from, to) ? [to, from] : [from, to];
    const partition = partitionOfId(first);
    counters.place(edge, first, second, partition, done[partition]!);
  }

  /** Bytes of a grid partition's operations; after {@link close}. */
  opBytes(partition: number): number {
    const links = this.#sources.opBytes(partition) + this.#targets.opBytes(partition);
    return links + (this.#counters?.opBytes(partition) ?? 0);
  }

  /** Appends the links, then the merges of a grid partition; after {@link close}. */
  writeOps(partition: number, section: SectionBuilder): void {
    this.#sources.start(partition);
    this.#sources.writeSome(section, this.#schemas.source.id, SECTION_BYTES_MAX);
    this.#targets.start(partition);
    this.#targets.writeSome(section, this.#schemas.target.id, SECTION_BYTES_MAX);
    this.#counters?.writeOps(partition, section);
  }
}
