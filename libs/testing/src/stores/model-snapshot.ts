import { isNiobeError } from '@niobe/kernel';
import { diffSnapshots, SCAN_END, type Snapshot, type SnapshotDiff, type SnapshotReader } from '@niobe/store';
import { KEYED_SCHEMA, KEYLESS_SCHEMA, shapeOf } from './sample-cells.ts';
import type { SpokenStore } from './spoken-store.ts';

/** What a model holds when a snapshot is taken. */
export interface ShownCells {
  /** By id, record and version in a text that is equal where they are. */
  readonly shapes: ReadonlyMap<number, string>;
  /** Cells that will expire, or have and may not be deleted yet; may grow. */
  readonly expiring: ReadonlySet<number>;
}

/** A snapshot and what the model held when it was taken, by id. The store may end it for its memory at any time. */
export class ModelSnapshot {
  readonly #snapshot: Snapshot;
  readonly #cells: ShownCells;

  constructor(spoken: SpokenStore, cells: ShownCells) {
    this.#snapshot = spoken.store.snapshot();
    this.#cells = cells;
  }

  /** Throws where it shows anything else; false where it was ended before. */
  compare(): boolean {
    return ended(() => {
      const shown = cellsOf(this.#snapshot.reader());
      const { shapes } = this.#cells;
      for (const [id, shape] of shapes) if (shown.get(id) !== shape) differs(id, shown.get(id), shape);
      for (const id of shown.keys()) if (!shapes.has(id)) differs(id, shown.get(id), undefined);
    });
  }

  /** The same for what was written between this snapshot and a later one. */
  compareDiff(later: ModelSnapshot): boolean {
    return ended(() => {
      const found = wholeDiff(this.#snapshot.reader(), later.#snapshot.reader());
      const expected = this.#expectedDiff(later);
      // When a cell that expired is deleted, only the cleaner knows.
      const isLasting = (id: number): boolean => !(this.#expires(id) || later.#expires(id));
      for (const what of ['changed', 'added', 'deleted'] as const) {
        const ids = found[what].filter(isLasting).sort((a, b) => a - b);
        const wanted = expected[what].filter(isLasting).sort((a, b) => a - b);
        if (ids.join() !== wanted.join()) throw new Error(`${what}: a diff gave ${ids.join()}, not ${wanted.join()}`);
      }
    });
  }

  #expires(id: number): boolean {
    return this.#cells.expiring.has(id);
  }

  #expectedDiff(later: ModelSnapshot): Record<DiffKind, number[]> {
    const [before, after] = [this.#cells.shapes, later.#cells.shapes];
    const ids = [...before.keys()];
    return {
      changed: ids.filter((id) => after.has(id) && after.get(id) !== before.get(id)),
      added: [...after.keys()].filter((id) => !before.has(id)),
      deleted: ids.filter((id) => !after.has(id)),
    };
  }

  close(): void {
    this.#snapshot.close();
  }
}

type DiffKind = Exclude<keyof SnapshotDiff, 'cursor'>;

/** Runs `work`; false where the snapshot was ended. */
function ended(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isNiobeError(error, 'SNAPSHOT_EXPIRED')) return false;
    throw error;
  }
}

function cellsOf(reader: SnapshotReader): Map<number, string> {
  const cells = new Map<number, string>();
  for (const schema of [KEYED_SCHEMA, KEYLESS_SCHEMA])
    for (let cursor = 0; cursor !== SCAN_END;)
      cursor = reader.scan(schema.id, null, cursor, SCAN_BYTES, (slot) => {
        const record = schema.decode(reader.bytes, reader.bodyStart(slot), reader.bodyBytes(slot));
        const shape = shownShape(shapeOf(record), [reader.versionEpoch(slot), reader.versionSeq(slot)]);
        if (cells.has(reader.idOf(slot))) throw new Error(`a snapshot shows ${reader.idOf(slot)} twice`);
        cells.set(reader.idOf(slot), shape);
      });
  return cells;
}

/** The shape of a cell from that of its record and its version. */
export function shownShape(record: string, [epoch, seq]: readonly [number, number]): string {
  return `${epoch}.${seq} ${record}`;
}

function wholeDiff(first: SnapshotReader, second: SnapshotReader): Record<DiffKind, number[]> {
  const whole: Record<DiffKind, number[]> = { changed: [], added: [], deleted: [] };
  for (let cursor = 0; cursor !== SCAN_END;) {
    const part = diffSnapshots(first, second, cursor, DIFF_IDS);
    for (const what of ['changed', 'added', 'deleted'] as const) whole[what].push(...part[what]);
    cursor = part.cursor;
  }
  return whole;
}

function differs(id: number, shown: string | undefined, expected: string | undefined): never {
  throw new Error(`a snapshot shows ${shown} as ${id} where the model had ${expected}`);
}

const SCAN_BYTES = 100_000;
const DIFF_IDS = 100;
