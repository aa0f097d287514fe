import { compileSchema, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, seededRandom, systemClock } from '@niobe/kernel';
import { Arena, ArenaCleaner, BLOCK_BYTES, noEvents, PartitionStore, type SnapshotReader } from '@niobe/store';
import { zipfNumbers } from './zipf.ts';

/** How keys are chosen. */
export type KeyChoice = 'uniform' | 'zipf';

/** Bytes of a key and a body together, as in the table of figures. */
const CELL_BYTES = 100;
/** Beside a key of 8 bytes a body has two fields' worth of layout: a count, and where its value ends. */
const VALUE_BYTES: number = CELL_BYTES - 8 - 3;
const HEADER_BYTES = 16;
const ENTRY_BYTES: number = HEADER_BYTES + CELL_BYTES;
const CELLS_PER_COMMIT = 256;
/** What a large arena keeps for its cleaner. */
const RESERVE_BYTES: number = 2 * BLOCK_BYTES;
const SCHEMA_ID = 1;
/** The thread writes this long and then cleans this long, this long when memory is short: so others come in every few milliseconds. */
const WRITE_SLICE_MS = 1;
const CLEAN_SLICE_MS = 1;
const CLEAN_SLICE_HARD_MS = 2;

/**
 * A partition whose cells take a share of what writers may use of an arena, overwritten for ever: an owner's loop of writes and slices of
 * cleaning, as a shard's thread runs it. Retired segments are released at once: there are no backups to wait for.
 */
export class OverwrittenStore {
  readonly arena: Arena;
  readonly store: PartitionStore;
  /** Cells when it is full. */
  readonly cells: number;
  readonly #cleaner: ArenaCleaner;
  readonly #next: () => number;
  readonly #retired: number[] = [];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #keyBytes: number;
  #filled = 0;
  #isCleaning = false;
  /** Cells that were written. */
  written = 0;
  /** Milliseconds spent in the cleaner. */
  cleaningMs = 0;

  /** So many cells, in an arena of which they take the share. */
  static ofCells(cells: number, share: number, choice: KeyChoice): OverwrittenStore {
    return new OverwrittenStore((cells * ENTRY_BYTES) / share + RESERVE_BYTES, share, choice);
  }

  constructor(arenaBytes: number, share: number, choice: KeyChoice, seed: number = 7) {
    this.arena = new Arena({ bytes: arenaBytes });
    this.cells = Math.floor(((this.arena.capacityBytes - this.arena.reserveBytes) * share) / ENTRY_BYTES);
    const random = seededRandom(seed);
    this.#next = choice === 'zipf' ? zipfNumbers(this.cells, random) : () => random.below(this.cells);
    const fields = { value: { type: 'bytes' } } as const;
    const schema = compileSchema(SCHEMA_ID, 1, { name: 'overwritten', key: 'integer', fields });
    this.store = this.#open(schema);
    this.#cleaner = new ArenaCleaner(() => [this.store], systemClock);
    const writer = new ByteWriter(1024);
    schema.encodeKey(0, writer);
    this.#keyBytes = writer.length;
    schema.encode({ value: new Uint8Array(VALUE_BYTES) }, writer);
    this.#bytes = writer.buffer.slice(0, writer.length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #open(schema: CompiledSchema): PartitionStore {
    const schemas = new SchemaTable();
    schemas.add(schema);
    const events = { ...noEvents, retired: (segment: number): unknown => this.#retired.push(segment) };
    const partition = { partition: 0, epoch: 1, firstSegment: 1 };
    return new PartitionStore({ ...partition, arena: this.arena, schemas, clock: systemClock, events });
  }

  /** Writes cells that were not there, up to this share of all of them. */
  fill(share: number = 1): void {
    while (this.#filled < this.cells * share) {
      this.fillSome();
      this.clean();
    }
  }

  /** Writes a batch of cells that were not there: the index grows. */
  fillSome(): void {
    const end = Math.min(this.cells, this.#filled + CELLS_PER_COMMIT);
    this.#batch(() => {
      while (this.#filled < end) this.#put(this.#filled++);
    });
  }

  /** Overwrites so many cells, turn by turn. */
  overwrite(cells: number): void {
    for (const end = this.written + cells; this.written < end;) this.turn();
  }

  /** Overwrites for about a slice, then cleans. With no memory left only the cleaner works, while it finds anything. */
  turn(): void {
    const endMs = systemClock.monotonicMs() + WRITE_SLICE_MS;
    while (this.isWritable && systemClock.monotonicMs() < endMs) this.overwriteSome(CELLS_PER_COMMIT);
    this.clean();
  }

  /** False where a writer would be refused but for what the cleaner is about to free. */
  get isWritable(): boolean {
    return this.arena.pressure < 1 || !this.#isCleaning;
  }

  /** Overwrites so many cells as a batch. Throws `STORE_FULL`. */
  overwriteSome(count: number): void {
    this.#batch(() => {
      for (let i = 0; i < count; i++) this.#put(this.#next());
    });
  }

  #batch(work: () => void): void {
    this.store.begin();
    try {
      work();
      this.store.commit();
    } catch (error) {
      this.store.rollback();
      throw error;
    }
  }

  /** A cell's key is its number; its value ends with that and the number of the write, so that it is another each time. */
  #put(cell: number): void {
    const { length } = this.#bytes;
    this.#view.setUint32(0, cell, true);
    this.#view.setUint32(length - 8, cell, true);
    this.#view.setUint32(length - 4, ++this.written, true);
    this.store.put(SCHEMA_ID, this.#bytes, 0, this.#keyBytes, this.#keyBytes, length - this.#keyBytes, 0);
  }

  clean(): void {
    const { pressure } = this.arena;
    const startMs = systemClock.monotonicMs();
    this.#isCleaning = this.#cleaner.clean(CLEAN_SLICE_MS + (CLEAN_SLICE_HARD_MS - CLEAN_SLICE_MS) * pressure);
    this.cleaningMs += systemClock.monotonicMs() - startMs;
    for (const segment of this.#retired.splice(0)) this.store.release(segment);
  }

  /** Cells whose entries fill the arena once. */
  get cellsOfArena(): number {
    return Math.floor(this.arena.capacityBytes / ENTRY_BYTES);
  }
}

/** What is wrong with a cell of a snapshot that was taken after so many writes; nothing is ''. */
export function checkOverwritten(reader: SnapshotReader, slot: number, written: number): string {
  const view = new DataView(reader.bytes.buffer);
  const key = view.getUint32(reader.keyStart(slot), true);
  const end = reader.bodyStart(slot) + reader.bodyBytes(slot);
  const cell = view.getUint32(end - 8, true);
  const write = view.getUint32(end - 4, true);
  if (reader.keyBytes(slot) + reader.bodyBytes(slot) !== CELL_BYTES) return `the cell in slot ${slot} has another size`;
  if (cell !== key) return `the cell of ${key} in slot ${slot} holds what was written to ${cell}`;
  return write <= written ? '' : `the cell of ${key} shows write ${write}, after a snapshot at ${written}`;
}
