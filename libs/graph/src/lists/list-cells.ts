import { NiobeError } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import { ADJACENCY_BODY, ADJACENCY_FIELD, CHUNK_BODY, CHUNK_FIELD } from '../edges/adjacency-schema.ts';

/**
 * The two kinds of cell a list of neighbours consists of, read where they lie in a store. Each is an object that is used again and
 * again; what it says holds until the next write or cleaning.
 */

/** In place of the id of a chunk that is not there. */
export const NO_CHUNK = -1;

/** Bytes of one reference. */
export const REF_BYTES = 8;

/** An adjacency cell. */
export class AdjacencyCell {
  degree = 0;
  /** Id of the newest chunk, or {@link NO_CHUNK}. */
  chunk: number = NO_CHUNK;
  /** References in the cell itself. */
  refs = 0;
  /** Where they begin in the store's bytes. */
  refsAt = 0;

  /** Reads the cell in a slot; slot -1 is a list without neighbours. */
  read(store: PartitionStore, slot: number): void {
    this.degree = this.refs = 0;
    this.chunk = NO_CHUNK;
    if (slot < 0) return;
    const { bytes } = store;
    const at = store.bodyStart(slot);
    const length = store.bodyBytes(slot);
    this.degree = degreeAt(store, slot);
    if (!ADJACENCY_BODY.isNull(bytes, at, ADJACENCY_FIELD.chunk))
      this.chunk = ADJACENCY_BODY.readNumber(bytes, at, ADJACENCY_FIELD.chunk);
    this.refsAt = ADJACENCY_BODY.rangeStart(bytes, at, length, ADJACENCY_FIELD.refs);
    this.refs = (at + length - this.refsAt) / REF_BYTES;
  }
}

/** Degree in the adjacency cell of a slot. */
export function degreeAt(store: PartitionStore, slot: number): number {
  return ADJACENCY_BODY.readNumber(store.bytes, store.bodyStart(slot), ADJACENCY_FIELD.degree);
}

/** An edge chunk. */
export class EdgeChunk {
  slot = -1;
  /** Id of the chunk before it, or {@link NO_CHUNK}. */
  next: number = NO_CHUNK;
  /** References in it, ascending; at least one. */
  refs = 0;
  /** Where they begin in the store's bytes. */
  refsAt = 0;

  /** Reads the chunk of this id. `DAMAGED` where there is none: a list names only chunks that are there. */
  read(store: PartitionStore, id: number): void {
    const slot = store.slotOfId(id);
    if (slot < 0 || store.schemaId(slot) !== CHUNK_BODY.id) throw lost(store.partition, id);
    const { bytes } = store;
    const at = store.bodyStart(slot);
    const length = store.bodyBytes(slot);
    this.slot = slot;
    this.next = CHUNK_BODY.isNull(bytes, at, CHUNK_FIELD.next)
      ? NO_CHUNK
      : CHUNK_BODY.readNumber(bytes, at, CHUNK_FIELD.next);
    this.refsAt = CHUNK_BODY.rangeStart(bytes, at, length, CHUNK_FIELD.refs);
    this.refs = (at + length - this.refsAt) / REF_BYTES;
  }
}

function lost(partition: number, id: number): NiobeError {
  return new NiobeError(
    'DAMAGED',
    `partition ${partition}: a list of neighbours names chunk ${id}, which is not there`,
  );
}

/** The memory of a store's arena, for {@link refAt}. */
export function viewOf({ bytes }: PartitionStore): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The cell id that lies at `at`. */
export function refAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}

const TWO_32 = 0x1_0000_0000;
