import { LINK_IDS_MAX, OpKind, type SectionBuilder } from '@niobe/grid';
import type { VertexIds } from '../keys/vertex-ids.ts';

/**
 * Edges seen from one of their ends: grouped by vertex, and these by grid partition, so that each vertex gets its new neighbours in one
 * LINK operation and each grid partition its operations in one go. Two counting sorts, O(edges + vertices), over columns that grow to
 * the largest run and stay.
 */

/** Bytes of a LINK operation beside its ids: header and own id. */
export const LINK_OP_BYTES = 24;
export const ID_BYTES = 8;
const SMALLEST_EDGES = 1024;

export class LinkGroups {
  readonly #partitions: number;
  /** By grid partition: where its vertices begin in {@link #order}; one more for the end. */
  readonly #starts: Uint32Array;
  /** By grid partition: ids its vertices get. */
  readonly #ids: Uint32Array;
  /** Vertices with edges, by grid partition. */
  #order = new Uint32Array(SMALLEST_EDGES);
  /** By row of the owning vertices: edges, then where its neighbours end in {@link #words}. */
  #ends = new Uint32Array(SMALLEST_EDGES);
  /** Neighbours by vertex, as they travel. */
  #words = new Uint32Array(2 * SMALLEST_EDGES);
  #bytes = new Uint8Array(this.#words.buffer);
  #own: VertexIds | null = null;
  #total = 0;
  /** Of {@link writeSome}: place in the order, and neighbours of that vertex that are written. */
  #at = 0;
  #atEnd = 0;
  #written = 0;

  /** @param partitions grid partitions. */
  constructor(partitions: number) {
    this.#partitions = partitions;
    this.#starts = new Uint32Array(partitions + 1);
    this.#ids = new Uint32Array(partitions);
  }

  /**
   * Groups the edges `[0, edges)` whose `needs` has a bit of `mask`: each is a neighbour, row `otherRows[i]` of `other`, for the row
   * `ownRows[i]` of `own`. All their ids are known.
   */
  group(
    own: VertexIds,
    ownRows: Uint32Array,
    other: VertexIds,
    otherRows: Uint32Array,
    edges: number,
    needs: Uint8Array | null,
    mask: number,
  ): void {
    this.#own = own;
    this.#reserve(own.keys.rows, edges);
    this.#count(ownRows, edges, needs, mask);
    this.#sortVertices(own);
    this.#placeEnds();
    const { words } = other;
    // From the back, so that what was an end becomes the start of the vertex's neighbours.
    for (let i = edges - 1; i >= 0; i--) {
      if (needs !== null && (needs[i]! & mask) === 0) continue;
      const place = (this.#ends[ownRows[i]!]! -= 1);
      const row = otherRows[i]!;
      this.#words[2 * place] = words[2 * row]!;
      this.#words[2 * place + 1] = words[2 * row + 1]!;
    }
    this.#total = edges === 0 ? 0 : this.#ids.reduce((sum, ids) => sum + ids, 0);
  }

  /** Edges that were grouped. */
  get edges(): number {
    return this.#total;
  }

  /** Bytes of a grid partition's operations; 0 if there are none. */
  opBytes(partition: number): number {
    const vertices = this.#starts[partition + 1]! - this.#starts[partition]!;
    const ids = this.#ids[partition]!;
    return (vertices + Math.floor(ids / LINK_IDS_MAX)) * LINK_OP_BYTES + ids * ID_BYTES;
  }

  /** Begins with the operations of a grid partition. */
  start(partition: number): void {
    this.#at = this.#starts[partition]!;
    this.#atEnd = this.#starts[partition + 1]!;
    this.#written = 0;
  }

  /**
   * Appends operations of the grid partition that was started until the section holds `sectionBytes`, one operation more at most.
   * @returns whether there are more.
   */
  writeSome(section: SectionBuilder, schemaId: number, sectionBytes: number): boolean {
    while (this.#at < this.#atEnd) {
      if (section.length >= sectionBytes) return true;
      this.#writeOp(section, schemaId);
    }
    return false;
  }

  #writeOp(section: SectionBuilder, schemaId: number): void {
    const row = this.#order[this.#at]!;
    const first = this.#ends[row]! + this.#written;
    const count = Math.min(LINK_IDS_MAX, this.#nextStart() - first);
    const key = this.#own!.bytes;
    section.op(
      OpKind.LINK,
      schemaId,
      0,
      key,
      row * ID_BYTES,
      ID_BYTES,
      this.#bytes,
      first * ID_BYTES,
      count * ID_BYTES,
    );
    this.#written += count;
    if (first + count < this.#nextStart()) return;
    this.#at += 1;
    this.#written = 0;
  }

  /** Where the neighbours of the next vertex begin. */
  #nextStart(): number {
    const next = this.#at + 1;
    return next < this.#starts[this.#partitions]! ? this.#ends[this.#order[next]!]! : this.#total;
  }

  #reserve(rows: number, edges: number): void {
    if (rows + 1 > this.#ends.length) {
      this.#ends = new Uint32Array(2 * rows + 1);
      this.#order = new Uint32Array(2 * rows + 1);
    }
    if (2 * edges > this.#words.length) {
      this.#words = new Uint32Array(4 * edges);
      this.#bytes = new Uint8Array(this.#words.buffer);
    }
  }

  #count(ownRows: Uint32Array, edges: number, needs: Uint8Array | null, mask: number): void {
    this.#ends.fill(0);
    for (let i = 0; i < edges; i++) if (needs === null || (needs[i]! & mask) !== 0) this.#ends[ownRows[i]!]! += 1;
  }

  #sortVertices({ keys }: VertexIds): void {
    const starts = this.#starts;
    starts.fill(0);
    this.#ids.fill(0);
    for (let row = 0; row < keys.rows; row++) {
      if (this.#ends[row] === 0) continue;
      const partition = keys.partition(row);
      starts[partition + 1]! += 1;
      this.#ids[partition]! += this.#ends[row]!;
    }
    for (let p = 0; p < this.#partitions; p++) starts[p + 1]! += starts[p]!;
    // Filled from the back: afterwards `starts` holds the starts again.
    const next = starts.slice(1);
    for (let row = keys.rows - 1; row >= 0; row--)
      if (this.#ends[row] !== 0) this.#order[(next[keys.partition(row)]! -= 1)] = row;
  }

  /** Turns counts into ends, in the order in which the vertices are written. */
  #placeEnds(): void {
    let end = 0;
    for (let i = 0; i < this.#starts[this.#partitions]!; i++) {
      const row = this.#order[i]!;
      end += this.#ends[row]!;
      this.#ends[row] = end;
    }
  }
}
