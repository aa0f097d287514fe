import type { CompiledSchema } from '@niobe/cells';
import { sourceNameOf, type Cube } from '../cube/cube.ts';
import type { CellGrid } from '../lane/cell-grid.ts';

/**
 * How far event time has come in a cube: the lowest watermark among its sources, read from the grid like every answer.
 *
 * A source has a cursor in every grid partition. What is stored with any of them holds for all (see lane-share.ts, 5), so the one that
 * lies where its key points is read.
 */

const READ_DEADLINE_MS = 10_000;

export class Watermarks {
  readonly #grid: CellGrid;
  readonly #cursorSchema: CompiledSchema;
  readonly #watermarkField: number;
  readonly #partitionsOf: (topic: string) => number;

  /**
   * @param cursorSchema the system schema of cursors.
   * @param partitionsOf number of Kafka partitions of a topic.
   */
  constructor(grid: CellGrid, cursorSchema: CompiledSchema, partitionsOf: (topic: string) => number) {
    this.#grid = grid;
    this.#cursorSchema = cursorSchema;
    this.#watermarkField = cursorSchema.field('watermark').index;
    this.#partitionsOf = partitionsOf;
  }

  /** Event time in Unix ms below which the cube has everything that came in order; -Infinity where that is not known yet. */
  async of(cube: Cube): Promise<number> {
    if (cube.windowMs === 0) return Number.NEGATIVE_INFINITY;
    const sources = cube.topics.flatMap((topic) =>
      Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => sourceNameOf(cube, topic, partition)),
    );
    const bodies = await this.#grid.getMany(this.#cursorSchema, sources, READ_DEADLINE_MS);
    return Math.min(...bodies.map((body) => this.#watermarkIn(body)));
  }

  #watermarkIn(body: Uint8Array | null): number {
    const watermarkMs = body === null ? Number.NaN : this.#cursorSchema.readNumber(body, 0, this.#watermarkField);
    return Number.isNaN(watermarkMs) ? Number.NEGATIVE_INFINITY : watermarkMs;
  }
}
