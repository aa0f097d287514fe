import { Persistence, type CellGrid, type Waiting } from '@niobe/aggregates';
import type { CompiledSchema } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import { isNiobeError, type Clock, type Logger, type Random } from '@niobe/kernel';
import type { EdgeSchemas } from '../fold/edge-rows.ts';
import type { IdSource } from '../keys/id-source.ts';
import { counterColumns } from './counter-columns.ts';
import { FilePass, type FinishedRun } from './file-pass.ts';
import { FileRun } from './file-run.ts';
import { FILE_END, fileSources, type FileIdentity } from './file-source.ts';
import { FileStage } from './file-stage.ts';
import { FileVertices } from './file-vertices.ts';
import { LINE_RULES, type GraphFormat } from './graph-format.ts';
import { RowCounters } from './row-counters.ts';
import { RunReader, type Rows } from './run-reader.ts';
import { Surrender } from './surrender.ts';

/**
 * Loads files of edges, run by run: a run's vertices are written, their ids read back, then its edges are sent from both ends, grouped by
 * vertex, so that a list of neighbours is rewritten once a run at most.
 *
 * 1. While the edges of one run are on their way, the next is read and its vertices are written.
 * 2. Each stage has a cursor in each grid partition, moved by the batch that it counts. After a crash, of this process or a shard, the
 *    file is read on from the lowest, and grid partitions pass over what they have.
 * 3. When all is in, every cursor is moved behind every line: a file that is loaded again is known to be in.
 */

/** One attempt to read from the grid. */
const READ_DEADLINE_MS = 10_000;
/** Edges of one run: few enough that one is sent while the next is read. */
const RUN_EDGES = 262_144;

/** What a load works with. */
export interface GraphLoadParts {
  readonly grid: CellGrid;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What is loaded into: an edge type, and the schemas of its vertices and cells as they are registered. */
export interface LoadTarget {
  readonly edge: EdgeType;
  readonly from: CompiledSchema;
  readonly to: CompiledSchema;
  readonly schemas: EdgeSchemas;
}

/** A file, as its bytes come. */
export interface GraphFile extends FileIdentity {
  readonly format: GraphFormat;
  readonly rows: Rows;
  readonly hasHeader: boolean;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Bytes of the file, as it lies on disk, that the pieces so far took. */
  readonly bytesRead: () => number;
}

/** What a load does with bad lines, and whom it tells how far it is. */
export interface GraphLoadOptions {
  readonly skipsBad: boolean;
  /** Edges at which a run ends; default 262,144. */
  readonly runEdges?: number;
  /** Called when the cursors of a file were read, and whenever a run is in. */
  readonly onProgress?: (load: GraphLoad) => void;
}

/** What became of a file. */
export type LoadEnd = 'loaded' | 'was in already' | 'stopped';

/** Loads files, one after the other; the vertices of one are known in the next. */
export class GraphLoad {
  readonly #parts: GraphLoadParts;
  readonly #target: LoadTarget;
  readonly #options: GraphLoadOptions;
  readonly #persistence: Persistence;
  readonly #surrender: Surrender;
  readonly #from: FileVertices;
  readonly #to: FileVertices;
  #linesBefore = 0;
  #lines = 0;
  #bytesRead = 0;
  #edges = 0;
  #bad = 0;
  #lost = 0;
  #isStopped = false;

  constructor(parts: GraphLoadParts, target: LoadTarget, options: GraphLoadOptions) {
    const { clock, random, logger, grid } = parts;
    this.#parts = parts;
    this.#target = target;
    this.#options = options;
    this.#persistence = new Persistence(clock, random, logger);
    this.#surrender = new Surrender(this.#persistence);
    this.#from = new FileVertices(target.from, grid.partitions);
    this.#to = target.from === target.to ? this.#from : new FileVertices(target.to, grid.partitions);
  }

  /** Lines of the present file that an earlier load brought in. */
  get linesBefore(): number {
    return this.#linesBefore;
  }

  /** Lines of the present file that are in. */
  get lines(): number {
    return this.#lines;
  }

  /** Bytes of the present file behind which {@link lines} lie. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Edges that this load brought in, of all files. */
  get edges(): number {
    return this.#edges;
  }

  /** Lines of all files that were passed over because they are no edge. */
  get bad(): number {
    return this.#bad;
  }

  /** Edges of all files that were left out because a vertex was deleted meanwhile. */
  get lost(): number {
    return this.#lost;
  }

  /** What it waits for; null while all goes well. */
  get waiting(): Waiting | null {
    return this.#persistence.waiting;
  }

  /** Ends when the runs that are under way are in. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Ends at once with `CLOSED` where it waits. */
  close(): void {
    this.stop();
    this.#persistence.close();
  }

  /** Loads a file from where an earlier load ended. Throws `MALFORMED` for a line that is no edge, and what no repetition mends. */
  async load(file: GraphFile): Promise<LoadEnd> {
    try {
      return await this.#load(file);
    } catch (error) {
      throw this.#surrender.explain(error);
    }
  }

  async #load(file: GraphFile): Promise<LoadEnd> {
    const [vertexStage, edgeStage] = await this.#openStages(file);
    const first = Math.min(...vertexStage.applied, ...edgeStage.applied);
    if (first === FILE_END) return 'was in already';
    this.#linesBefore = this.#lines = first;
    this.#bytesRead = 0;
    this.#options.onProgress?.(this);
    const reader = this.#readerOf(file);
    try {
      const run = this.#runOf(await reader.header());
      await reader.skipTo(first);
      const pass = new FilePass({
        reader,
        run,
        vertices: this.#from === this.#to ? [this.#from] : [this.#from, this.#to],
        vertexStage,
        edgeStage,
        readIds: (vertices) => this.#insist(() => vertices.readIds(this.#parts.ids, READ_DEADLINE_MS)),
        bytesRead: file.bytesRead,
        isStopped: () => this.#isStopped,
        onRun: (finished) => this.#finished(finished),
      });
      return (await pass.run()) ? 'loaded' : 'stopped';
    } finally {
      this.#bad += reader.bad;
      await reader.close();
    }
  }

  async #openStages(file: GraphFile): Promise<[FileStage, FileStage]> {
    const { grid } = this.#parts;
    const sources = fileSources(file, this.#target.edge.name);
    const applied = sources.map(() => new Float64Array(grid.partitions));
    await this.#insist(async () => {
      const rows = await grid.cursors(sources, READ_DEADLINE_MS);
      rows.forEach((cursors, partition) =>
        cursors.forEach(({ offset }, stage) => (applied[stage]![partition] = offset ?? 0)),
      );
    });
    const open = (stage: number): FileStage =>
      new FileStage(grid, this.#persistence, this.#surrender, sources[stage]!, applied[stage]!);
    return [open(0), open(1)];
  }

  /** Reads from the grid until that succeeds. */
  async #insist(read: () => Promise<void>): Promise<void> {
    await this.#persistence.until(async () => {
      try {
        await read();
      } catch (error) {
        if (isNiobeError(error)) this.#surrender.consider(error);
        throw error;
      }
      return null;
    });
  }

  #readerOf(file: GraphFile): RunReader {
    const { skipsBad } = this.#options;
    return new RunReader({ ...file, rules: LINE_RULES[file.format], from: this.#from, to: this.#to, skipsBad });
  }

  #runOf(header: readonly string[]): FileRun {
    const { edge, schemas } = this.#target;
    const { runEdges = RUN_EDGES } = this.#options;
    const { partitions } = this.#parts.grid;
    const { counters } = schemas;
    const rowCounters =
      counters === null ? null : new RowCounters(counters, counterColumns(counters, header), runEdges, partitions);
    return new FileRun(edge, schemas, this.#from, this.#to, rowCounters, runEdges, partitions);
  }

  #finished({ end, bytes, edges, lost }: FinishedRun): void {
    this.#lines = end;
    this.#bytesRead = bytes;
    this.#edges += edges - lost;
    this.#lost += lost;
    this.#options.onProgress?.(this);
  }
}
