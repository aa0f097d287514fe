import { PagedColumn } from '../sets/paged-column.ts';

/**
 * The vertices of a search that lie at this shard, as columns in the order in which they were reached: level after level, so that a
 * level, and all that one hop reached, is a range.
 */
export class ReachedVertices {
  readonly slots: PagedColumn = new PagedColumn();
  /** `partition << 8 | generation`. */
  readonly highs: PagedColumn = new PagedColumn();
  /** From {@link countsFrom} on: how many vertices led to each. */
  readonly counts: PagedColumn = new PagedColumn();
  /** Index of the first vertex that has a count. */
  countsFrom = 0;
  /** By level: index of its first vertex. */
  readonly #levelStarts: number[] = [0];

  get length(): number {
    return this.slots.length;
  }

  /** The level that is being added to. */
  get level(): number {
    return this.#levelStarts.length - 1;
  }

  get bytes(): number {
    return this.slots.bytes + this.highs.bytes + this.counts.bytes;
  }

  /** Where the level that is being added to begins. */
  get levelStart(): number {
    return this.#levelStarts.at(-1)!;
  }

  /** What is added from now on is of the next level. */
  beginLevel(): void {
    this.#levelStarts.push(this.length);
  }

  /** Takes back {@link beginLevel}: the level turned out to have no vertex at any shard. */
  dropLevel(): void {
    this.#levelStarts.pop();
  }

  /** Where a level begins; beyond the last one, the end. */
  startOf(level: number): number {
    return this.#levelStarts[level] ?? this.length;
  }

  /** Vertices by level. */
  levelSizes(): number[] {
    return this.#levelStarts.map((start, level) => this.startOf(level + 1) - start);
  }
}
