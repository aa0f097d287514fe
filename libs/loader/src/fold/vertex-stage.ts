import type { FoldStage } from '@niobe/aggregates';
import { CELL_BYTES_MAX } from '@niobe/cells';
import type { SectionBuilder } from '@niobe/grid';
import { ByteWriter } from '@niobe/kernel';
import type { FolderCounters } from './mapping-folder.ts';
import type { PartitionBytes } from './partition-bytes.ts';
import type { VertexRows } from './vertex-rows.ts';

/** The first stage of a run: its vertices, as merges. */
export class VertexStage implements FoldStage {
  readonly #vertices: readonly VertexRows[];
  readonly #bytes: PartitionBytes;
  readonly #counters: FolderCounters;
  readonly #scratch = new ByteWriter(CELL_BYTES_MAX, 1024);

  constructor(vertices: readonly VertexRows[], bytes: PartitionBytes, counters: FolderCounters) {
    this.#vertices = vertices;
    this.#bytes = bytes;
    this.#counters = counters;
  }

  get ops(): number {
    return this.#vertices.reduce((ops, rows) => ops + rows.ops, 0);
  }

  opBytes(gridPartition: number): number {
    return this.#bytes.of(gridPartition);
  }

  writeOps(gridPartition: number, section: SectionBuilder): void {
    for (const rows of this.#vertices) rows.writeOps(gridPartition, section, this.#scratch);
  }

  taken(): void {
    this.#counters.vertices.add(this.ops);
    for (const { values } of this.#vertices) this.#counters.overflows.add(values.overflows);
  }
}
