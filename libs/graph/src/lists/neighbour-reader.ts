import { EDGE_CHUNK_IDS_MAX } from '@niobe/grid';
import { NiobeError } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import { AdjacencyCell, EdgeChunk, NO_CHUNK, REF_BYTES } from './list-cells.ts';
import { ListSlots } from './list-slots.ts';

/**
 * Walks the neighbours of one vertex after another, a chunk at a time, as columns:
 *
 *     for (let left = reader.begin(store, schemaId, slot, high); left > 0; left -= count) {
 *       count = reader.next();
 *       for (let i = 0; i < count; i++) visit(reader.lows[i], reader.highs[i]);
 *     }
 *
 * An id is split in 32 low bits, the slot, and 20 high bits, `partition << 8 | generation`. Nothing is allocated.
 *
 * A walk gives the list as it was at its beginning, also where the store is written or cleaned meanwhile: chunks do not change. If one
 * that is still to come was merged into another, `next` says `DAMAGED`, and the list is to be begun again.
 */
export class NeighbourReader {
  /** Slots of the present references. */
  readonly lows: Uint32Array = new Uint32Array(EDGE_CHUNK_IDS_MAX);
  /** `partition << 8 | generation` of the present references. */
  readonly highs: Uint32Array = new Uint32Array(EDGE_CHUNK_IDS_MAX);
  readonly #cell = new AdjacencyCell();
  readonly #chunk = new EdgeChunk();
  readonly #slots = new ListSlots();
  #store: PartitionStore | null = null;
  #next: number = NO_CHUNK;
  #left = 0;
  /** References of the head that wait in the columns. */
  #head = 0;

  /**
   * Goes to the list of a vertex in an adjacency schema and returns its degree, 0 where it has no neighbours. Whether the vertex itself
   * is still there is not looked at. O(1).
   *
   * @param low of the vertex's id @param high of the vertex's id
   */
  begin(store: PartitionStore, schemaId: number, low: number, high: number): number {
    const slot = this.#slots.find(store, schemaId, low, high);
    this.#store = store;
    this.#cell.read(store, slot);
    this.#next = this.#cell.chunk;
    this.#left = this.#cell.degree;
    this.#head = this.#split(this.#cell.refsAt, this.#cell.refs);
    return this.#left;
  }

  /**
   * Fills the columns with the next references and returns how many, 0 at the end: each neighbour comes once, the latest first, those
   * of one call in no order of their own. `DAMAGED` where the list does not hold what its degree says, or see above.
   */
  next(): number {
    const count = this.#load();
    this.#left -= count;
    if (this.#left < 0 || (count === 0 && this.#left > 0)) throw this.#damaged();
    return count;
  }

  #load(): number {
    if (this.#head > 0) {
      const count = this.#head;
      this.#head = 0;
      return count;
    }
    if (this.#next === NO_CHUNK) return 0;
    this.#chunk.read(this.#store!, this.#next);
    this.#next = this.#chunk.next;
    return this.#split(this.#chunk.refsAt, this.#chunk.refs);
  }

  #split(refsAt: number, count: number): number {
    const { lows, highs } = this;
    const { view } = this.#slots;
    for (let i = 0, at = refsAt; i < count; i++, at += REF_BYTES) {
      lows[i] = view.getUint32(at, true);
      highs[i] = view.getUint32(at + 4, true);
    }
    return count;
  }

  #damaged(): NiobeError {
    const { partition } = this.#store!;
    const degree = this.#cell.degree;
    return new NiobeError(
      'DAMAGED',
      `partition ${partition}: a list of neighbours of degree ${degree} has another length`,
    );
  }
}
