import type { Predicate } from '@niobe/cells';

/** Cells whose bodies a scan tests at once; a power of two. */
export const RUN_CELLS = 256;
/** Bits of a slot's number within its run. */
export const RUN_MASK: number = RUN_CELLS - 1;

/** Where the bodies of a run of cells lie, as a predicate takes them: tested together they cost a fraction of a call for each. */
export class BodyColumns {
  count = 0;
  readonly slots: Uint32Array = new Uint32Array(RUN_CELLS);
  /** Room for whoever finds the cells: addresses and kinds of entries. */
  readonly addresses: Uint32Array = new Uint32Array(RUN_CELLS);
  readonly kinds: Uint8Array = new Uint8Array(RUN_CELLS);
  readonly starts: Float64Array = new Float64Array(RUN_CELLS);
  readonly lengths: Uint32Array = new Uint32Array(RUN_CELLS);
  /** Places in the columns of the cells that match, after {@link select}. */
  readonly hits: Uint32Array = new Uint32Array(RUN_CELLS);

  clear(): void {
    this.count = 0;
  }

  /** Adds a cell; at most {@link RUN_CELLS}. */
  add(slot: number, start: number, length: number): void {
    const at = this.count;
    this.slots[at] = slot;
    this.starts[at] = start;
    this.lengths[at] = length;
    this.count = at + 1;
  }

  /** Writes {@link hits}, without a predicate all cells, and returns how many there are. */
  select(predicate: Predicate | null, bytes: Uint8Array): number {
    if (predicate === null) return this.#all();
    return predicate.select(bytes, this.starts, this.lengths, 0, this.count, this.hits);
  }

  #all(): number {
    for (let i = 0; i < this.count; i++) this.hits[i] = i;
    return this.count;
  }
}
