/**
 * Small coordination data that all services see: rows changed by compare-and-set and followed by watches. Cells never live here.
 *
 * Revisions of one map rise with every change of any key. A write whose answer got lost is settled by the map itself: it re-reads
 * the key from the leader until it knows, so a caller sees success, `EXISTS`, `REVISION_MISMATCH`, or, when the map cannot be
 * reached until the deadline, `UNKNOWN`: then, and only then, the write may still come into effect.
 */

/** A value with the revision that a compare-and-set must name. */
export interface MapValue<T> {
  readonly value: T;
  readonly revision: number;
}

/** A row as a watch tells it; `value` is null where the key has gone. */
export interface MapEntry<T> {
  readonly key: string;
  readonly value: T | null;
  readonly revision: number;
}

/** What a watch calls. */
export interface WatchListener<T> {
  /**
   * The newest state of a key: first every key there is, then each change; intermediate states may be left out. After a reconnect
   * only what differs from what was told before.
   */
  onEntry(entry: MapEntry<T>): void;
  /** Everything that was there when the watch began has been told; called once, also for an empty map. */
  onCaughtUp?(): void;
  /** A row that `parse` refused; it is left out and the watch goes on. */
  onBadRow?(key: string, error: unknown): void;
}

/** A running watch. */
export interface Watch {
  close(): void;
}

/** One map. Keys are any text of 1 to 200 bytes; values are JSON up to 512 KiB. */
export interface SharedMap<T> {
  readonly name: string;
  /** The row as the leader has it. Throws what `parse` throws if the row is bad. */
  get(key: string): Promise<MapValue<T> | null>;
  /** Adds a row and returns its revision; `EXISTS` if the key is taken. */
  create(key: string, value: T): Promise<number>;
  /** Replaces the row at `revision` and returns the new one; `REVISION_MISMATCH` if it has moved on or gone. */
  update(key: string, value: T, revision: number): Promise<number>;
  /** Removes a row; with `revision` only at that one, else `REVISION_MISMATCH`. An absent key is fine. */
  delete(key: string, revision?: number): Promise<void>;
  keys(): Promise<string[]>;
  watch(listener: WatchListener<T>): Watch;
  close(): void;
}

/** Turns a row's JSON into a value, or throws a `NiobeError`; rows come from outside. */
export type ParseRow<T> = (row: unknown) => T;

/** Opens maps by name: `[a-z-]+`. Twin: `MemorySharedMaps`; real: `@niobe/nats`. */
export interface SharedMaps {
  open<T>(name: string, parse: ParseRow<T>): Promise<SharedMap<T>>;
  close(): Promise<void>;
}
