import type { ArenaReport } from '../arena.ts';
import type { IndexReport } from '../indexes/indexed-reader.ts';

/**
 * What the cells of a shard take, and where. Names, ids and sizes: nothing of what a cell holds.
 *
 * Bytes are those of the arena unless said otherwise. A cell is an entry of the log: `bytes` = `headerBytes` + `keyBytes` + `bodyBytes`.
 */
export interface MemoryReport {
  /** `live + dead + free = bytes`; see {@link ArenaReport}. */
  readonly arena: ArenaReport;
  readonly partitions: number;
  /** Cells that were found, and their bytes. */
  readonly cells: number;
  readonly cellBytes: number;
  /** Live bytes that are no cell's that was found: tombstones, definitions of schemas, cells that have expired or came while it was counted. */
  readonly otherLiveBytes: number;
  /** Outside the arena, as are all that follow. */
  readonly keyIndexBytes: number;
  readonly slots: number;
  readonly slotBytes: number;
  readonly secondaryIndexes: readonly IndexReport[];
  readonly snapshots: SnapshotMemory;
  /** The one with most bytes first. */
  readonly schemas: readonly SchemaMemory[];
  /** The largest first. */
  readonly largest: readonly LargeCell[];
}

/** Memory that is kept for snapshots alone. */
export interface SnapshotMemory {
  readonly open: number;
  readonly slotPages: number;
  readonly segmentBytes: number;
}

/** The cells of one schema. */
export interface SchemaMemory {
  readonly id: number;
  readonly name: string;
  readonly revision: number;
  readonly cells: number;
  readonly bytes: number;
  /** Headers and padding. */
  readonly headerBytes: number;
  readonly keyBytes: number;
  readonly bodyBytes: number;
  /** Of the body: what says how it is laid out, such as which fields are null. */
  readonly layoutBytes: number;
  /** Share of the key index, by number of keys; outside the arena. */
  readonly keyIndexBytes: number;
  /** In the order of declaration. */
  readonly fields: readonly FieldMemory[];
  readonly dictionaries: readonly DictionaryMemory[];
}

/** One field of all cells of a schema; the fields of a nested record are counted with it. */
export interface FieldMemory {
  readonly name: string;
  readonly bytes: number;
}

/** The texts of a `dict` field, which stand in the declaration once. */
export interface DictionaryMemory {
  readonly field: string;
  readonly values: number;
  /** In UTF-8. */
  readonly bytes: number;
}

/** A cell by what it takes. */
export interface LargeCell {
  readonly schema: string;
  readonly id: number;
  readonly partition: number;
  readonly bytes: number;
}
