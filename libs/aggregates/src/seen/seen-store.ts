import type { CompiledSchema } from '@niobe/cells';
import { OpKind, SectionBuilder, SEEN_SCHEMA_ID, type PreparedSection } from '@niobe/grid';
import { assert, ByteWriter, murmur32 } from '@niobe/kernel';
import type { CellGrid } from '../lane/cell-grid.ts';
import { Coverage } from './coverage.ts';
import { readSeenCell, type SeenCell, type SeenCellBuilder, type TakeEntry } from './seen-cell.ts';

/**
 * The stored deduplication cells of one Kafka partition, shared by the lanes of a process.
 *
 * 1. The cells live in one grid partition, chosen by the Kafka partition. Keys are `<topic>/<partition>/<first>/<writer>.<n>`: a
 *    writer never overwrites another's cells, so one that is alive by mistake does no harm.
 * 2. What a lane decided about a stretch of offsets is stored before any delta of the stretch is sent, unless cells cover the stretch
 *    already: another lane was there first, and it decided alike.
 * 3. At low rates a stretch adds few ids. Its cell is then written again with the next stretch, until it holds
 *    {@link IDS_WORTH_A_CELL}: so the number of cells is bounded by ids, not by time.
 * 4. A cell is deleted whole when none of its entries can matter to an event at or above any lane's cursor. One cell that is out of
 *    reach by age stays, as the witness that everything below it is out of reach too: without it a start would read the whole window
 *    of Kafka again to learn nothing.
 */

/** A cell takes further stretches until it holds so many ids. */
export const IDS_WORTH_A_CELL = 128;
/** Cells deleted in one go. */
const DELETES_MAX = 256;
/** Kafka timestamps of neighbours may be out of order by so much, in topics that take them from producers. */
const DISORDER_S = 3_600;

const SEEN_BYTES_MAX = 1024 * 1024;
const NO_BODY = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SeenStore {
  /** Offsets whose decisions are stored. */
  readonly coverage: Coverage = new Coverage();
  readonly gridPartition: number;
  readonly #grid: CellGrid;
  readonly #schema: CompiledSchema;
  readonly #prefix: string;
  readonly #writer: string;
  readonly #cells = new Map<string, SeenCell>();
  readonly #section = new SectionBuilder();
  readonly #body = new ByteWriter(SEEN_BYTES_MAX, 4_096);
  #written = 0;

  /** @param writer identity of this process's run, so that keys are its own. */
  constructor(grid: CellGrid, schema: CompiledSchema, topic: string, partition: number, writer: string) {
    assert(schema.id === SEEN_SCHEMA_ID, 'the system schema of seen ids');
    this.#grid = grid;
    this.#schema = schema;
    this.#prefix = `${topic}/${partition}/`;
    this.#writer = writer;
    const bytes = encoder.encode(this.#prefix);
    this.gridPartition = murmur32(bytes, 0, bytes.length, schema.hashSeed) & (grid.partitions - 1);
  }

  /** Cells known to be stored. */
  get cells(): number {
    return this.#cells.size;
  }

  /** Reads every stored cell and gives the entries from `fromOffset` on to `take`. Throws a `NiobeError`. */
  async load(fromOffset: number, deadlineMs: number, take: TakeEntry): Promise<void> {
    await this.#grid.scan(
      this.#schema,
      [],
      this.gridPartition,
      deadlineMs,
      (bytes, keyAt, keyBytes, bodyAt, bodyBytes) => {
        const key = decoder.decode(bytes.subarray(keyAt, keyAt + keyBytes));
        if (!key.startsWith(this.#prefix)) return;
        this.stored(readSeenCell(this.#schema, key, bytes, bodyAt, bodyBytes, fromOffset, take));
      },
    );
  }

  /**
   * The offset from which the stored cells say all that matters to an event at `position`: those before are not needed or out of
   * reach by age. `position` itself where the cells say nothing.
   */
  reachesBackFrom(position: number, windowSeconds: number): number {
    const from = this.coverage.reachesBackFrom(position);
    let newestS = 0;
    let lowest: SeenCell | null = null;
    for (const cell of this.#cells.values()) {
      if (cell.last < position) newestS = Math.max(newestS, cell.lastSeenS);
      if (cell.first === from) lowest = cell;
    }
    const isWitness = lowest !== null && lowest.lastSeenS + windowSeconds < newestS;
    return isWitness ? 0 : from;
  }

  /** Begins a cell at `first` in `builder`. */
  begin(builder: SeenCellBuilder, first: number): void {
    builder.begin(`${this.#prefix}${first}/${this.#writer}.${this.#written++}`, first);
  }

  /** The section that stores the cell of `builder` for the offsets up to, not including, `to`. */
  put(builder: SeenCellBuilder, to: number): { readonly section: PreparedSection; readonly cell: SeenCell } {
    this.#body.reset();
    const cell = builder.write(this.#schema, to, this.#body);
    const key = encoder.encode(cell.key);
    this.#section.start(this.gridPartition);
    this.#section.op(OpKind.PUT, SEEN_SCHEMA_ID, 0, key, 0, key.length, this.#body.buffer, 0, this.#body.length);
    return { section: this.#section.finish(), cell };
  }

  /** A cell is durable. */
  stored(cell: SeenCell): void {
    this.#cells.set(cell.key, cell);
    this.coverage.add(cell.first, cell.last + 1);
  }

  /**
   * Cells that can matter to nobody: every lane's cursor is at or above `offset`, where records arrive at `second`.
   */
  outOfReach(offset: number, second: number, window: { readonly ids: number; readonly seconds: number }): SeenCell[] {
    const oldest = second - window.seconds - DISORDER_S;
    const aged = [...this.#cells.values()].filter((cell) => cell.last < offset && cell.lastSeenS < oldest);
    const witness = aged.reduce<SeenCell | null>(
      (newest, cell) => (newest === null || cell.last > newest.last ? cell : newest),
      null,
    );
    const old = new Set(aged);
    if (witness !== null) old.delete(witness);
    for (const cell of this.#cells.values()) if (cell.last < offset - window.ids) old.add(cell);
    return [...old].slice(0, DELETES_MAX);
  }

  /** The section that deletes cells. */
  delete(cells: readonly SeenCell[]): PreparedSection {
    this.#section.start(this.gridPartition);
    for (const { key } of cells) {
      const bytes = encoder.encode(key);
      this.#section.op(OpKind.DELETE, SEEN_SCHEMA_ID, 0, bytes, 0, bytes.length, NO_BODY, 0, 0);
    }
    return this.#section.finish();
  }

  /** Cells were deleted. */
  deleted(cells: readonly SeenCell[]): void {
    for (const { key } of cells) this.#cells.delete(key);
    let lowest = Number.POSITIVE_INFINITY;
    for (const { first } of this.#cells.values()) lowest = Math.min(lowest, first);
    this.coverage.dropBelow(lowest);
  }
}
