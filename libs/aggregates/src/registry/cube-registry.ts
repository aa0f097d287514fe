import type { SharedMap, SharedMaps } from '@niobe/grid';
import { isNiobeError, NiobeError, type Logger } from '@niobe/kernel';
import { z } from 'zod';
import type { Cube } from '../cube/cube.ts';
import { SETS_MAX } from '../cube/cube-declaration.ts';
import { schemaNameOf, sourceNameOf } from '../cube/cube.ts';
import { withGeneration } from '../cube/compile-cube.ts';

/**
 * The map `cubes`: which revision of each cube the grid holds.
 *
 * A cube whose definition is not the recorded one is refused: its cells would mix two meanings. To count it anew is a decision of the
 * operator. That gives the cube a new generation, with schemas and sources of its own, so counting begins at once and nothing that is
 * still in flight for the old one can reach the new; the old one's cells are on record as retired until they have been removed.
 */

/** Cells and cursors that nobody needs any more. */
export interface RetiredCube {
  readonly revision: string;
  /** Names of its cell schemas. */
  readonly schemas: readonly string[];
  /** Names of its sources in the grid partitions' cursors. */
  readonly sources: readonly string[];
}

/** One row of the map. */
export interface CubeRow {
  /** Hash of the definition, without the generation. */
  readonly definition: string;
  /** Rises each time the cube is counted anew. */
  readonly generation: number;
  readonly retired: readonly RetiredCube[];
}

const TRIES_MAX = 32;
const RETIRED_MAX = 64;

const rowShape = z.object({
  definition: z.string().regex(/^[0-9a-f]{16}$/),
  generation: z.int().min(1),
  retired: z
    .array(z.object({ revision: z.string(), schemas: z.array(z.string()), sources: z.array(z.string()) }))
    .max(RETIRED_MAX),
});

function parseCubeRow(row: unknown): CubeRow {
  const result = rowShape.safeParse(row);
  if (result.success) return result.data;
  throw new NiobeError('MALFORMED', 'a row of the map cubes has another shape than this service knows');
}

export class CubeRegistry {
  readonly #map: SharedMap<CubeRow>;
  readonly #partitionsOf: (topic: string) => number;
  readonly #logger: Logger;

  private constructor(map: SharedMap<CubeRow>, partitionsOf: (topic: string) => number, logger: Logger) {
    this.#map = map;
    this.#partitionsOf = partitionsOf;
    this.#logger = logger;
  }

  /** @param partitionsOf number of Kafka partitions of a topic. */
  static async open(maps: SharedMaps, partitionsOf: (topic: string) => number, logger: Logger): Promise<CubeRegistry> {
    return new CubeRegistry(await maps.open('cubes', parseCubeRow), partitionsOf, logger);
  }

  /**
   * The cubes in the generation that is on record. Those named in `rebuild` get a new one.
   * Throws `INCOMPATIBLE`, naming every cube that changed and may not.
   */
  async register(cubes: readonly Cube[], rebuild: ReadonlySet<string>): Promise<Cube[]> {
    const registered: Cube[] = [];
    const changed: string[] = [];
    for (const cube of cubes) {
      const generation = await this.#generationOf(cube, rebuild.has(cube.name));
      if (generation === null) changed.push(cube.name);
      else registered.push(withGeneration(cube, generation));
    }
    if (changed.length === 0) return registered;
    const problems = changed.map(
      (name) => `cube ${name} is not the one that was counted: rename it, or --rebuild-cube ${name}`,
    );
    throw new NiobeError('INCOMPATIBLE', problems.join('\n'), { problems });
  }

  /** Null: the definition changed and no new generation is wanted. */
  async #generationOf(cube: Cube, rebuild: boolean): Promise<number | null> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await this.#map.get(cube.name);
      const recorded = found?.value ?? null;
      if (recorded !== null && recorded.definition !== cube.revision && !rebuild) return null;
      if (recorded !== null && !rebuild) return recorded.generation;
      const row =
        recorded === null ? { definition: cube.revision, generation: 1, retired: [] } : this.#renewed(cube, recorded);
      const change =
        found === null ? this.#map.create(cube.name, row) : this.#map.update(cube.name, row, found.revision);
      if (await settles(change)) return row.generation;
    }
    throw new NiobeError('BUSY', `the row of cube ${cube.name} changed ${TRIES_MAX} times under our hands`);
  }

  #renewed(cube: Cube, { definition, generation, retired }: CubeRow): CubeRow {
    this.#logger.warn(
      { cube: cube.name, generation: generation + 1 },
      'the cube is counted anew from the start of its topics',
    );
    const old = withGeneration({ ...cube, revision: definition }, generation);
    const { revision } = old;
    // The old definition is not known any more, only its hash: every set it can have had, every partition of today's topics.
    const schemas = Array.from({ length: SETS_MAX }, (_, set) => schemaNameOf(cube.name, revision, set));
    const sources = cube.topics.flatMap((topic) =>
      Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => sourceNameOf(old, topic, partition)),
    );
    return {
      definition: cube.revision,
      generation: generation + 1,
      retired: [...retired, { revision, schemas, sources }].slice(-RETIRED_MAX),
    };
  }

  /** What is retired of a cube. */
  async retiredOf(name: string): Promise<readonly RetiredCube[]> {
    return (await this.#map.get(name))?.value.retired ?? [];
  }

  /** A retired revision has been removed. */
  async forget(name: string, revision: string): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await this.#map.get(name);
      if (found === null) return;
      const retired = found.value.retired.filter((old) => old.revision !== revision);
      if (await settles(this.#map.update(name, { ...found.value, retired }, found.revision))) return;
    }
  }

  close(): void {
    this.#map.close();
  }
}

/** Whether a create or compare-and-set came through; false when somebody else was faster. */
async function settles(change: Promise<number>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isNiobeError(error, 'EXISTS') || isNiobeError(error, 'REVISION_MISMATCH')) return false;
    throw error;
  }
}
