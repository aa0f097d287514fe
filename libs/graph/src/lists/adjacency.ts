import { ByteWriter } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import { ADJACENCY_BODY, ADJACENCY_FIELD, HEAD_REFS_MAX } from '../edges/adjacency-schema.ts';
import { ChunkChain } from './chunk-chain.ts';
import { AdjacencyCell, EdgeChunk, NO_CHUNK, REF_BYTES, refAt, viewOf } from './list-cells.ts';
import { NewRefs, sortRefs } from './new-refs.ts';
import { writeRefs } from './write-refs.ts';

/** In place of a number of neighbours: the vertex is not there. */
export const VERTEX_GONE = -1;

/**
 * Adds neighbours to the lists of vertices, each list a set, in the open batch of the vertex's partition.
 *
 * 1. What the list has already is dropped: a look at the head, a binary search in each chunk. So a link that comes twice, or after a
 *    crash again, changes nothing, and the two ends of an edge need not be written together.
 * 2. While head and new references are at most 16 they become the head: one entry of 56 to 176 bytes.
 * 3. Otherwise they all become a chunk, see {@link ChunkChain}, and the head is empty. A link of many goes straight to a chunk of its
 *    size.
 *
 * A list that grows by single references writes 125 to 150 bytes of log for each, more as it is longer: the head, and its share of chunks.
 */
export class Adjacency {
  readonly #new: NewRefs;
  readonly #chain = new ChunkChain();
  readonly #cell = new AdjacencyCell();
  readonly #chunk = new EdgeChunk();
  readonly #body = ADJACENCY_BODY.bodyBuilder();
  /** Key and body of an adjacency cell. */
  readonly #out = new ByteWriter(CELL_BYTES);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;

  /** @param partitions of the grid: neighbours are in one of them */
  constructor(partitions: number) {
    this.#new = new NewRefs(partitions);
  }

  /**
   * Makes `count` cells (1 to LINK_IDS_MAX, ids of 8 bytes in any order) neighbours of a vertex of this store, in an adjacency schema.
   * Returns how many were not neighbours before, or {@link VERTEX_GONE}, with no effect, where the vertex was deleted.
   * `SCHEMA_VIOLATION` where an id names no partition, `TOO_LARGE` where the batch is full; the batch is to be rolled back then.
   */
  link(store: PartitionStore, schemaId: number, ownId: number, bytes: Uint8Array, at: number, count: number): number {
    if (store.slotOfId(ownId) < 0) return VERTEX_GONE;
    if (this.#viewed !== store.bytes) this.#view = viewOf(store);
    this.#viewed = store.bytes;
    this.#writeKey(ownId);
    const slot = store.find(schemaId, this.#out.buffer, 0, REF_BYTES);
    this.#cell.read(store, slot);
    this.#new.read(bytes, at, count);
    this.#dropKnown(store);
    if (this.#new.count > 0) this.#add(store, schemaId, slot);
    return this.#new.count;
  }

  #writeKey(ownId: number): void {
    this.#out.reset();
    this.#out.u53(ownId);
  }

  #dropKnown(store: PartitionStore): void {
    const { refs, refsAt, chunk: first } = this.#cell;
    if (refs > 0) this.#new.dropAmong(this.#view, refsAt, refs);
    for (let id = first; id !== NO_CHUNK && this.#new.count > 0; id = this.#chunk.next) {
      this.#chunk.read(store, id);
      this.#new.dropAscending(this.#view, this.#chunk.refsAt, this.#chunk.refs);
    }
  }

  /** Joins head and new references and writes them as head or as chunk. */
  #add(store: PartitionStore, schemaId: number, slot: number): void {
    const { degree, chunk, refs, refsAt } = this.#cell;
    const { refs: joined } = this.#chain;
    const added = this.#new.count;
    for (let i = 0; i < refs; i++) joined[i] = refAt(this.#view, refsAt + i * REF_BYTES);
    for (let i = 0; i < added; i++) joined[refs + i] = this.#new.refs[i]!;
    const total = refs + added;
    if (total <= HEAD_REFS_MAX) return this.#writeCell(store, schemaId, slot, degree + added, chunk, total);
    sortRefs(joined, total);
    this.#chain.count = total;
    this.#writeCell(store, schemaId, slot, degree + added, this.#chain.prepend(store, chunk), 0);
  }

  /** Writes the adjacency cell, its head the first `refs` of the joined references. */
  #writeCell(store: PartitionStore, schemaId: number, slot: number, degree: number, chunk: number, refs: number): void {
    const out = this.#out;
    this.#body.begin(out);
    this.#body.setNumber(ADJACENCY_FIELD.degree, degree);
    if (chunk !== NO_CHUNK) this.#body.setNumber(ADJACENCY_FIELD.chunk, chunk);
    writeRefs(out, this.#chain.refs, 0, refs);
    this.#body.endVariable(ADJACENCY_FIELD.refs);
    const bodyBytes = this.#body.end();
    if (slot < 0) store.put(schemaId, out.buffer, 0, REF_BYTES, REF_BYTES, bodyBytes, 0);
    else store.overwrite(slot, out.buffer, REF_BYTES, bodyBytes);
  }
}

/** Key, body before its references, and a full head; rounded up. */
const CELL_BYTES: number = 64 + HEAD_REFS_MAX * REF_BYTES;
