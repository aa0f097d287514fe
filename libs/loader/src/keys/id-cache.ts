import type { CompiledSchema } from '@niobe/cells';
import { VertexIds } from './vertex-ids.ts';

/**
 * Ids of vertices that are known to exist, so that what is seen again is neither written nor asked for. One for a process: shares use
 * it between their awaits, and keep no row of it.
 *
 * Bound: entries and bytes of keys for each schema. A cache that is full forgets everything; what is still in use is asked for again.
 */

/** Vertices of one schema. */
export const CACHED_IDS_MAX = 1_048_576;
/** Keys of one schema, all together. */
const CACHED_KEY_BYTES_MAX: number = 64 * 1024 * 1024;

export class IdCache {
  readonly #partitions: number;
  readonly #idsMax: number;
  readonly #schemas = new Map<number, VertexIds>();

  /** @param partitions grid partitions. */
  constructor(partitions: number, idsMax: number = CACHED_IDS_MAX) {
    this.#partitions = partitions;
    this.#idsMax = idsMax;
  }

  /** Ids of all schemas. */
  get size(): number {
    let size = 0;
    for (const { keys } of this.#schemas.values()) size += keys.rows;
    return size;
  }

  /** Gives `into` the id of its row, if it is known here. O(1) expected. */
  fill(into: VertexIds, row: number): void {
    const cached = this.#schemas.get(into.keys.schema.id);
    if (cached === undefined) return;
    const { keys } = into;
    const start = keys.keyStart(row);
    const found = cached.keys.find(keys.hash(row), keys.bytes, start, keys.keyEnd(row) - start);
    if (found >= 0) into.set(row, cached.id(found));
  }

  /** Remembers the id of a row of `from`. */
  remember(from: VertexIds, row: number): void {
    const { keys } = from;
    const cached = this.#of(keys.schema);
    const start = keys.keyStart(row);
    const length = keys.keyEnd(row) - start;
    if (cached.keys.rows >= this.#idsMax || cached.keys.keyBytes + length > CACHED_KEY_BYTES_MAX) cached.clear();
    const known = cached.keys.find(keys.hash(row), keys.bytes, start, length);
    const into = known >= 0 ? known : cached.add(keys.hash(row), keys.bytes, start, length);
    cached.set(into, from.id(row));
  }

  #of(schema: CompiledSchema): VertexIds {
    let cached = this.#schemas.get(schema.id);
    if (cached === undefined) {
      cached = new VertexIds(schema, this.#partitions, CACHED_KEY_BYTES_MAX);
      this.#schemas.set(schema.id, cached);
    }
    return cached;
  }
}
