import { Column } from './column.ts';
import { Leads, NO_LEADER } from './leads.ts';
import { PagedBits } from './paged-bits.ts';

/**
 * What a shard knows of the vertices of one partition and one generation of slots: those that were ever candidates, as bits, and those
 * that became candidates in this step, as a list.
 *
 * For a partition of its own the bits are the visited vertices. For a foreign one they are what was told to its owner, who knows them
 * from then on: no vertex is sent twice by one shard. An id that belongs to no vertex stays a candidate for ever, for ids come to life
 * once.
 */
export class VertexSet {
  /** `partition << 8 | generation`. */
  readonly high: number;
  /** Index of the shard that owns the partition. */
  readonly owner: number;
  readonly #bits: PagedBits = new PagedBits();
  /** Slots of the candidates of this step. */
  readonly fresh: Column = new Column();
  /** Of the candidates of this step; null while nothing is counted. */
  #leads: Leads | null = null;

  constructor(high: number, owner: number) {
    this.high = high;
    this.owner = owner;
  }

  /** Bytes it holds. */
  get bytes(): number {
    return this.#bits.bytes + this.fresh.bytes + (this.#leads?.bytes ?? 0);
  }

  /** By place in {@link fresh}: how many vertices led to it. Null while nothing is counted. */
  get counts(): Column | null {
    return this.#leads?.counts ?? null;
  }

  /** Counts from now on; between two steps. */
  count(): void {
    this.#leads ??= new Leads();
  }

  /** Adds a candidate that the expanded vertex numbered `leader` leads to. */
  lead(slot: number, leader: number): void {
    if (this.#bits.add(slot)) {
      this.fresh.push(slot);
      this.#leads?.add(this.fresh, leader, 1);
    } else this.#leads?.repeat(this.fresh, slot, leader, 1);
  }

  /** Adds a candidate that another shard tells of, to which `count` vertices there lead. */
  receive(slot: number, count: number): void {
    if (this.#bits.add(slot)) {
      this.fresh.push(slot);
      this.#leads?.add(this.fresh, NO_LEADER, count);
    } else this.#leads?.repeat(this.fresh, slot, NO_LEADER, count);
  }

  /** The step is over, or what it had so far was sent. */
  clear(): void {
    this.fresh.clear();
    this.#leads?.clear();
  }
}
