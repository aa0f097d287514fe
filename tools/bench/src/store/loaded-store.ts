import { compileSchema, SchemaTable, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, seededRandom, systemClock, type Random } from '@niobe/kernel';
import { Arena, noEvents, PartitionStore } from '@niobe/store';

/** Cells of one commit. */
export const CELLS_PER_COMMIT = 256;
/** Operations between two looks at the clock; whole commits. */
export const BLOCK_CELLS: number = 200 * CELLS_PER_COMMIT;
export const SCHEMA_ID = 1;
const BLOCK_BYTES_MAX: number = BLOCK_CELLS * 1024;
/** What segments that are filled in part and the reserve may take beside the entries. */
const SLACK_BYTES: number = 128 * 1024 * 1024;

/** Where the first field of a body without optional fields lies: behind the number of steps it was written with. */
export const FIRST_FIELD_AT = 1;
const BODY_BYTES_MAX = 1024;

/** What the cells of a measure are. */
export interface CellKind {
  readonly key: 'text' | 'integer';
  readonly fields: Readonly<Record<string, { readonly type: 'i32' | 'i64' | 'bytes' }>>;
  /** The record of every cell, but for the cell's number, which takes the place of the first field. */
  readonly record: Readonly<Record<string, number | Uint8Array>>;
  /** Bytes of an entry, at most. */
  readonly entryBytesMax: number;
}

/** Cells as a writer or reader has them: keys and bodies one behind the other. */
export interface CellBlock {
  readonly bytes: Uint8Array;
  /** Where each key and each body begins, in turn; the last item is where the last body ends. */
  readonly starts: Uint32Array;
  readonly count: number;
}

/**
 * A partition for cells with keys, and blocks of random work on it that are made before the clock starts. What is needed beside the
 * cells is in memory from the start, so that the memory of the cells alone can be measured.
 */
export class LoadedStore {
  readonly store: PartitionStore;
  readonly schema: CompiledSchema;
  readonly cells: number;
  readonly random: Random = seededRandom(42);
  /** Id of each cell by its number, once {@link load} is through. */
  readonly ids: Float64Array;
  readonly #kind: CellKind;
  readonly #body: Uint8Array;
  readonly #order: Uint32Array;
  readonly #writer = new ByteWriter(BLOCK_BYTES_MAX);
  readonly #starts = new Uint32Array(BLOCK_CELLS * 2 + 1);

  constructor(kind: CellKind, cells: number) {
    this.#kind = kind;
    this.cells = cells;
    this.ids = new Float64Array(cells).fill(-1);
    this.#order = shuffled(cells, this.random);
    this.schema = compileSchema(SCHEMA_ID, 1, { name: 'measured', key: kind.key, fields: kind.fields });
    this.#body = bodyOf(this.schema, kind);
    this.block(this.#order.subarray(0, BLOCK_CELLS));
    const schemas = new SchemaTable();
    schemas.add(this.schema);
    const arena = new Arena({ bytes: cells * kind.entryBytesMax + SLACK_BYTES });
    const partition = { partition: 0, epoch: 1, firstSegment: 1 };
    this.store = new PartitionStore({ ...partition, arena, schemas, clock: systemClock, events: noEvents });
  }

  /** Puts all cells in random order of their keys; cells a second, making their bytes not counted. */
  load(): number {
    let spentMs = 0;
    for (let from = 0; from < this.cells; from += BLOCK_CELLS) {
      const numbers = this.#order.subarray(from, from + BLOCK_CELLS);
      const block = this.block(numbers);
      const startMs = systemClock.monotonicMs();
      this.put(block);
      spentMs += systemClock.monotonicMs() - startMs;
      this.#noteIds(block, numbers);
    }
    return (this.cells / spentMs) * 1000;
  }

  /** Puts the cells of a block, a commit for each {@link CELLS_PER_COMMIT}. */
  put(block: CellBlock): void {
    const { store } = this;
    const { bytes, starts, count } = block;
    for (let first = 0; first < count; first += CELLS_PER_COMMIT) {
      store.begin();
      const end = Math.min(count, first + CELLS_PER_COMMIT);
      for (let cell = first; cell < end; cell++) {
        const keyAt = starts[2 * cell]!;
        const bodyAt = starts[2 * cell + 1]!;
        store.put(SCHEMA_ID, bytes, keyAt, bodyAt - keyAt, bodyAt, starts[2 * cell + 2]! - bodyAt, 0);
      }
      store.commit();
    }
  }

  #noteIds(block: CellBlock, numbers: Uint32Array): void {
    for (let i = 0; i < block.count; i++) this.ids[numbers[i]!] = this.store.idOf(this.find(block, i));
  }

  /** Slot of a cell of a block, by its key. */
  find(block: CellBlock, cell: number): number {
    const keyAt = block.starts[2 * cell]!;
    return this.store.find(SCHEMA_ID, block.bytes, keyAt, block.starts[2 * cell + 1]! - keyAt);
  }

  /** Keys and bodies of cells by their numbers; valid until the next block. */
  block(numbers: Uint32Array): CellBlock {
    this.#writer.reset();
    for (let i = 0; i < numbers.length; i++) {
      const n = numbers[i]!;
      this.#starts[2 * i] = this.#writer.length;
      if (this.#kind.key === 'text') writeTextKey(n, this.#writer);
      else this.schema.encodeKey(n, this.#writer);
      this.#starts[2 * i + 1] = this.#writer.length;
      this.#writeBody(n);
    }
    this.#starts[2 * numbers.length] = this.#writer.length;
    return { bytes: this.#writer.buffer, starts: this.#starts, count: numbers.length };
  }

  #writeBody(n: number): void {
    const at = this.#writer.length;
    this.#writer.raw(this.#body);
    this.#writer.view.setUint32(at + FIRST_FIELD_AT, n, true);
  }

  /** Numbers of random existing cells. */
  randomNumbers(count: number): Uint32Array {
    return Uint32Array.from({ length: count }, () => this.random.below(this.cells));
  }
}

/** Appends `user-<n>`. No text is made of it: the young generation of the heap would grow, and count as memory of the cells. */
function writeTextKey(n: number, writer: ByteWriter): void {
  writer.raw(TEXT_KEY_START);
  const digits = n < 10 ? 1 : Math.floor(Math.log10(n)) + 1;
  const at = writer.reserve(digits);
  for (let i = digits - 1, rest = n; i >= 0; i--, rest = Math.floor(rest / 10))
    writer.buffer[at + i] = DIGIT_0 + (rest % 10);
}

const TEXT_KEY_START: Uint8Array = Buffer.from('user-');
const DIGIT_0 = 0x30;

function bodyOf(schema: CompiledSchema, kind: CellKind): Uint8Array {
  const writer = new ByteWriter(BODY_BYTES_MAX);
  schema.encode(kind.record, writer);
  return writer.finish();
}

/** 0 to count - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
