import type { ReadEvent } from '@niobe/events';
import type { SectionBuilder } from '@niobe/grid';
import type { Cube } from '../cube/cube.ts';
import { sourceNameOf } from '../cube/cube.ts';
import type { DerivationKind, EventFolder, FoldStage } from '../lane/derivation.ts';
import { Folder, type SchemaOf } from './folder.ts';

/** Cubes as lanes see them: one stage, one folder for all shares of a lane. */
export function cubeDerivation(schemaOf: SchemaOf, partitions: number): DerivationKind<Cube> {
  return {
    leavesDamaged: true,
    remedy: 'restore the records, or count anew with --rebuild-cube',
    sources: (cube, topic, partition) => [sourceNameOf(cube, topic, partition)],
    folders: (cubes) => {
      const folder = new CubeFolder(new Folder(cubes, schemaOf, partitions));
      return () => folder;
    },
  };
}

class CubeFolder implements EventFolder {
  readonly stages: readonly FoldStage[];
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
    this.stages = [new CubeStage(folder)];
  }

  get full(): boolean {
    return this.#folder.full;
  }

  get expired(): number {
    return this.#folder.expired;
  }

  begin(done: readonly Float64Array[]): void {
    this.#folder.begin(done[0]!);
  }

  fold(event: ReadEvent, offset: number, arrivalMs: number): string | null {
    const refusing = this.#folder.fold(event, offset, arrivalMs);
    return refusing === null ? null : `a product of cube ${refusing.name} is too large to be summed`;
  }
}

class CubeStage implements FoldStage {
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  get ops(): number {
    return this.#folder.groups;
  }

  opBytes(gridPartition: number): number {
    return this.#folder.deltaBytes(gridPartition);
  }

  writeOps(gridPartition: number, section: SectionBuilder): void {
    this.#folder.writeOps(gridPartition, section);
  }
}
