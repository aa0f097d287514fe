import { NiobeError, type Clock } from '@niobe/kernel';
import { checkKey, encodeValue } from './map-row.ts';
import type { MapValue, ParseRow, SharedMap, SharedMaps, Watch, WatchListener } from './shared-map.ts';

/** The twin of the notice board: maps in this process, shared by whoever opens them here. Rows are kept as JSON, as on the wire. */

interface Row {
  /** Null after a delete, until the key is created again. */
  readonly json: string | null;
  readonly revision: number;
}

interface Table {
  readonly rows: Map<string, Row>;
  readonly watches: Set<MemoryWatch<unknown>>;
  revision: number;
}

const decoder = new TextDecoder();

/** Maps of one process. */
export class MemorySharedMaps implements SharedMaps {
  readonly #clock: Clock;
  readonly #tables = new Map<string, Table>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async open<T>(name: string, parse: ParseRow<T>): Promise<SharedMap<T>> {
    const table = this.#tables.get(name) ?? { rows: new Map(), watches: new Set(), revision: 0 };
    this.#tables.set(name, table);
    return new MemorySharedMap(name, table, parse, this.#clock);
  }

  async close(): Promise<void> {
    for (const table of this.#tables.values()) for (const watch of table.watches) watch.close();
  }
}

class MemorySharedMap<T> implements SharedMap<T> {
  readonly name: string;
  readonly #table: Table;
  readonly #parse: ParseRow<T>;
  readonly #clock: Clock;
  readonly #watches = new Set<Watch>();

  constructor(name: string, table: Table, parse: ParseRow<T>, clock: Clock) {
    this.name = name;
    this.#table = table;
    this.#parse = parse;
    this.#clock = clock;
  }

  async get(key: string): Promise<MapValue<T> | null> {
    checkKey(key);
    const row = this.#table.rows.get(key);
    if (row === undefined || row.json === null) return null;
    return { value: this.#parse(JSON.parse(row.json)), revision: row.revision };
  }

  async create(key: string, value: T): Promise<number> {
    checkKey(key);
    if (this.#table.rows.get(key)?.json != null) throw new NiobeError('EXISTS', `${this.name}: ${key} exists`);
    return this.#write(key, value);
  }

  async update(key: string, value: T, revision: number): Promise<number> {
    checkKey(key);
    this.#checkRevision(key, revision);
    return this.#write(key, value);
  }

  async delete(key: string, revision?: number): Promise<void> {
    checkKey(key);
    if (this.#table.rows.get(key)?.json == null) return;
    if (revision !== undefined) this.#checkRevision(key, revision);
    this.#put(key, null);
  }

  async keys(): Promise<string[]> {
    return [...this.#table.rows].filter(([, row]) => row.json !== null).map(([key]) => key);
  }

  watch(listener: WatchListener<T>): Watch {
    const watch = new MemoryWatch(this.#table, this.#parse, listener, this.#clock);
    this.#watches.add(watch);
    return watch;
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  #checkRevision(key: string, revision: number): void {
    const row = this.#table.rows.get(key);
    if (row === undefined || row.json === null || row.revision !== revision)
      throw new NiobeError('REVISION_MISMATCH', `${this.name}: ${key} is not at revision ${revision}`);
  }

  #write(key: string, value: T): number {
    return this.#put(key, decoder.decode(encodeValue(this.name, key, value)));
  }

  #put(key: string, json: string | null): number {
    const revision = ++this.#table.revision;
    this.#table.rows.set(key, { json, revision });
    for (const watch of this.#table.watches) watch.changed(key);
    return revision;
  }
}

/** Tells rows in later turns; a key that changes twice before its turn is told once. */
class MemoryWatch<T> implements Watch {
  readonly #table: Table;
  readonly #parse: ParseRow<T>;
  readonly #listener: WatchListener<T>;
  readonly #clock: Clock;
  readonly #due = new Set<string>();
  #caughtUp = false;
  #scheduled = false;
  #closed = false;

  constructor(table: Table, parse: ParseRow<T>, listener: WatchListener<T>, clock: Clock) {
    this.#table = table;
    this.#parse = parse;
    this.#listener = listener;
    this.#clock = clock;
    for (const [key, row] of table.rows) if (row.json !== null) this.#due.add(key);
    table.watches.add(this as unknown as MemoryWatch<unknown>);
    this.#schedule();
  }

  changed(key: string): void {
    this.#due.add(key);
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#table.watches.delete(this as unknown as MemoryWatch<unknown>);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#tell());
  }

  #tell(): void {
    this.#scheduled = false;
    const due = [...this.#due];
    this.#due.clear();
    for (const key of due) if (!this.#closed) this.#tellRow(key);
    if (this.#caughtUp || this.#closed) return;
    this.#caughtUp = true;
    this.#listener.onCaughtUp?.();
  }

  #tellRow(key: string): void {
    const row = this.#table.rows.get(key)!;
    let value: T | null = null;
    try {
      if (row.json !== null) value = this.#parse(JSON.parse(row.json));
    } catch (error) {
      this.#listener.onBadRow?.(key, error);
      return;
    }
    this.#listener.onEntry({ key, value, revision: row.revision });
  }
}
