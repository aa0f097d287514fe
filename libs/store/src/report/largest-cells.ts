import type { LargeCell } from './memory-report.ts';

/** The n largest of many cells. O(n) for a cell that is among them, O(1) for any other. */
export class LargestCells {
  readonly #most: number;
  /** The largest first. */
  readonly #cells: LargeCell[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** True if a cell of so many bytes would be among them. */
  isWanted(bytes: number): boolean {
    return this.#cells.length < this.#most || (this.#most > 0 && bytes > this.#cells.at(-1)!.bytes);
  }

  add(cell: LargeCell): void {
    const behind = this.#cells.findIndex(({ bytes }) => bytes < cell.bytes);
    this.#cells.splice(behind < 0 ? this.#cells.length : behind, 0, cell);
    if (this.#cells.length > this.#most) this.#cells.pop();
  }

  list(): readonly LargeCell[] {
    return [...this.#cells];
  }
}
