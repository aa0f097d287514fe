import type { Clock } from '@niobe/kernel';
import { sourceNameOf, type Cube } from '../cube/cube.ts';
import type { CellGrid } from '../lane/cell-grid.ts';

/**
 * How far event time has come in each cube: the lowest watermark that is stored with its cursors. Read from the grid like every answer;
 * for {@link FRESH_MS} a value that was read serves other questions too, which can only make `final` come later.
 */

/** Age at which a watermark is read again. */
export const FRESH_MS = 1_000;
const READ_DEADLINE_MS = 10_000;

export class Watermarks {
  readonly #grid: CellGrid;
  readonly #clock: Clock;
  readonly #partitionsOf: (topic: string) => number;
  readonly #read = new Map<string, { readonly atMs: number; readonly watermarkMs: Promise<number> }>();

  /** @param partitionsOf number of Kafka partitions of a topic. */
  constructor(grid: CellGrid, clock: Clock, partitionsOf: (topic: string) => number) {
    this.#grid = grid;
    this.#clock = clock;
    this.#partitionsOf = partitionsOf;
  }

  /** Event time in Unix ms below which the cube has everything that came in order; -Infinity where that is not known yet. */
  of(cube: Cube): Promise<number> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#read.get(cube.name);
    if (known !== undefined && nowMs - known.atMs < FRESH_MS) return known.watermarkMs;
    const watermarkMs = this.#ask(cube);
    this.#read.set(cube.name, { atMs: nowMs, watermarkMs });
    watermarkMs.catch(() => this.#read.delete(cube.name));
    return watermarkMs;
  }

  async #ask(cube: Cube): Promise<number> {
    if (cube.windowMs === 0) return Number.NEGATIVE_INFINITY;
    const sources = cube.topics.flatMap((topic) =>
      Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => sourceNameOf(cube, topic, partition)),
    );
    const rows = await this.#grid.cursors(sources, READ_DEADLINE_MS);
    return Math.min(...rows.flatMap((row) => row.map(({ watermarkMs }) => watermarkMs ?? Number.NEGATIVE_INFINITY)));
  }
}
