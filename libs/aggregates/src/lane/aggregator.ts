import type { Cube } from '../cube/cube.ts';
import { cubeDerivation } from '../fold/cube-derivation.ts';
import type { SchemaOf } from '../fold/folder.ts';
import { Derivations } from './derivations.ts';
import type { LaneSurroundings } from './lane-surroundings.ts';

/** What an aggregator stands on. */
export interface AggregatorSurroundings extends Omit<LaneSurroundings, 'seenPrefix'> {
  readonly schemaOf: SchemaOf;
}

/** Consumes every topic that a cube counts, and keeps the cubes' cells in the grid. */
export class Aggregator extends Derivations<Cube> {
  /** Starts at once, in the background; what is away is waited for. */
  constructor(around: AggregatorSurroundings, cubes: readonly Cube[]) {
    super({ ...around, seenPrefix: '' }, cubeDerivation(around.schemaOf, around.grid.partitions), cubes);
  }
}
