import type { Counter } from '@niobe/kernel';
import { Adjacency, VERTEX_GONE } from '@niobe/graph';
import type { WriteRequest } from '@niobe/grid';
import type { PartitionStore } from '@niobe/store';
import type { EdgeEnds } from './link-ends.ts';

/** Bytes of one id in the body of a LINK. */
const ID_BYTES = 8;

/**
 * LINK operations of one batch after another. What they changed is counted when the batch is committed: one that is rolled back counts
 * nothing.
 */
export class Links {
  readonly #parts: LinkParts;
  readonly #adjacency: Adjacency;
  /** New neighbours by adjacency schema, in the open batch. */
  readonly #added = new Map<number, number>();
  #withoutVertex = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#adjacency = new Adjacency(parts.partitions);
  }

  begin(): void {
    this.#added.clear();
    this.#withoutVertex = 0;
  }

  /** Applies the frame's present operation, whose key and schema were checked, to the open batch. */
  apply(op: WriteRequest, ownId: number, store: PartitionStore): void {
    const { schemaId, bytes, bodyAt, bodyBytes } = op;
    const added = this.#adjacency.link(store, schemaId, ownId, bytes, bodyAt, bodyBytes / ID_BYTES);
    if (added === VERTEX_GONE) this.#withoutVertex += 1;
    else if (added > 0) this.#added.set(schemaId, (this.#added.get(schemaId) ?? 0) + added);
  }

  committed(store: PartitionStore): void {
    const { ends, endsAdded, withoutVertex } = this.#parts;
    for (const [schemaId, added] of this.#added) {
      ends.add(store, schemaId, added);
      endsAdded.add(added);
    }
    if (this.#withoutVertex > 0) withoutVertex.add(this.#withoutVertex);
  }
}

/** What {@link Links} work with. */
export interface LinkParts {
  readonly partitions: number;
  readonly ends: EdgeEnds;
  readonly endsAdded: Counter;
  readonly withoutVertex: Counter;
}
