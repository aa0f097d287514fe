import type { FoldStage } from '@niobe/aggregates';
import { CELL_BYTES_MAX } from '@niobe/cells';
import type { SectionBuilder } from '@niobe/grid';
import { ByteWriter } from '@niobe/kernel';
import type { IdSource } from '../keys/id-source.ts';
import type { EdgeRows } from './edge-rows.ts';
import type { FolderCounters } from './mapping-folder.ts';
import type { VertexRows } from './vertex-rows.ts';

/** The second stage of a run: the edges from both their ends, and their counters. The vertices are in by then, so they have ids. */
export class EdgeStage implements FoldStage {
  readonly #edges: readonly EdgeRows[];
  readonly #vertices: readonly VertexRows[];
  readonly #source: IdSource;
  readonly #counters: FolderCounters;
  readonly #scratch = new ByteWriter(CELL_BYTES_MAX, 1024);
  #lost = 0;

  constructor(edges: readonly EdgeRows[], vertices: readonly VertexRows[], source: IdSource, counters: FolderCounters) {
    this.#edges = edges;
    this.#vertices = vertices;
    this.#source = source;
    this.#counters = counters;
  }

  async prepare(deadlineMs: number): Promise<void> {
    for (const rows of this.#edges) rows.wantIds();
    // One after the other: a read that is still under way when this fails would meet the rows of the next run.
    for (const rows of this.#vertices) await rows.readIds(this.#source, deadlineMs);
    this.#lost = this.#edges.reduce((lost, rows) => lost + rows.close(), 0);
  }

  get ops(): number {
    return this.#edges.reduce((ops, rows) => ops + rows.links + rows.merges, 0);
  }

  opBytes(gridPartition: number): number {
    return this.#edges.reduce((bytes, rows) => bytes + rows.opBytes(gridPartition), 0);
  }

  /** Links come first: they may be repeated, so a section that is too much for one batch can be cut among them. */
  writeOps(gridPartition: number, section: SectionBuilder): void {
    for (const rows of this.#edges) rows.writeLinks(gridPartition, section);
    for (const rows of this.#edges) rows.writeMerges(gridPartition, section, this.#scratch);
  }

  taken(): void {
    for (const rows of this.#edges) this.#takenEdges(rows);
    this.#counters.lostEdges.add(this.#lost);
  }

  #takenEdges(rows: EdgeRows): void {
    rows.taken();
    this.#counters.links.add(rows.links);
    this.#counters.edgeMerges.add(rows.merges);
    this.#counters.overflows.add(rows.values?.overflows ?? 0);
  }
}
