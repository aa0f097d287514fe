/** Cells whose bodies a scan tests at once; a power of two. */
export const RUN_CELLS = 256;
/** Bits of a slot's number within its run. */
export const RUN_MASK: number = RUN_CELLS - 1;

/** Where the bodies of a run of cells lie, as a projection takes them. */
export class BodyColumns {
  count = 0;
  readonly slots: Uint32Array = new Uint32Array(RUN_CELLS);
  readonly starts: Float64Array = new Float64Array(RUN_CELLS);
  readonly lengths: Uint32Array = new Uint32Array(RUN_CELLS);

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
}
