import type { PreparedDeltas } from '@niobe/aggregates';
import type { FileRun } from './file-run.ts';
import type { FileStage, StageOps } from './file-stage.ts';
import type { FileVertices } from './file-vertices.ts';
import type { RunReader } from './run-reader.ts';

/** What the pass through a file works with. */
export interface FilePassParts {
  readonly reader: RunReader;
  readonly run: FileRun;
  /** Vertices of the ends of edges: of two schemas or of one. */
  readonly vertices: readonly FileVertices[];
  readonly vertexStage: FileStage;
  readonly edgeStage: FileStage;
  /** Reads the ids of vertices that are new in the run. */
  readonly readIds: (vertices: FileVertices) => Promise<void>;
  /** Bytes of the file that were read so far. */
  readonly bytesRead: () => number;
  readonly isStopped: () => boolean;
  /** Called when a run is in. */
  readonly onRun: (run: FinishedRun) => void;
}

/** A run that is in. */
export interface FinishedRun {
  /** Lines of the file up to its end. */
  readonly end: number;
  /** Bytes of the file, as it lies on disk, that it took to read so far. */
  readonly bytes: number;
  readonly edges: number;
  /** Edges that were left out because a vertex was deleted meanwhile. */
  readonly lost: number;
}

/** Reads a file on and sends it run by run; see graph-load.ts. */
export class FilePass {
  readonly #parts: FilePassParts;
  readonly #vertexOps: StageOps;
  /** The edges of the run before, on their way. */
  #sending: Promise<void> = Promise.resolve();

  constructor(parts: FilePassParts) {
    const { vertices } = parts;
    this.#parts = parts;
    this.#vertexOps = {
      opBytes: (partition) => vertices.reduce((bytes, each) => bytes + each.opBytes(partition), 0),
      writeOps: (partition, section) => {
        for (const each of vertices) each.writeOps(partition, section);
      },
    };
  }

  /** True when the file is in as a whole, false when it was stopped. */
  async run(): Promise<boolean> {
    const { reader, run, vertexStage, edgeStage, isStopped } = this.#parts;
    try {
      while (!isStopped() && (await reader.read(run))) await this.#pass();
    } finally {
      await this.#sending;
    }
    if (isStopped()) return false;
    await vertexStage.finish();
    await edgeStage.finish();
    return true;
  }

  /** Sends the vertices of the run that was read, and begins with its edges when those of the run before are in. */
  async #pass(): Promise<void> {
    const { run, vertices, vertexStage, edgeStage, readIds } = this.#parts;
    const bytes = this.#parts.bytesRead();
    await vertexStage.send(vertexStage.sections(this.#vertexOps, run.end));
    for (const each of vertices) await readIds(each);
    await this.#sending;
    const { end, edges } = run;
    const lost = run.close(edgeStage.applied);
    this.#sending = this.#sendEdges(edgeStage.sections(run, end), { end, bytes, edges, lost });
    // A failure is told to whoever waits for it next.
    this.#sending.catch(() => undefined);
  }

  async #sendEdges(sections: readonly PreparedDeltas[], run: FinishedRun): Promise<void> {
    await this.#parts.edgeStage.send(sections);
    this.#parts.onRun(run);
  }
}
