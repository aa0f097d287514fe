import { checkOperand, type CompiledSchema, type IndexDeclaration } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import type { Arena } from '../arena.ts';
import { bodyBytesAt, bodyStartAt, KIND, kindAt } from '../entry.ts';
import type { SlotTable } from '../slot-table.ts';
import { EntryTree } from './entry-tree.ts';
import { IndexedValues } from './indexed-values.ts';
import { TreeCursor } from './tree-cursor.ts';
import { ValueTies } from './value-ties.ts';

/**
 * The cells of one schema in one partition by the values of one path.
 *
 * 1. A cell has an entry for each different value it has: none where the path is null, many where it leads through arrays.
 * 2. A sorted index goes by value. A hash index goes by hash: it knows only equality, says also cells whose value has the same hash, and
 *    is cheaper for long values, which it never reads.
 * 3. An index of a new revision is filled in slices: cells in slots below `builtSlots` are in it, others not yet. Until it is complete
 *    it is kept up and not asked.
 */
export class SecondaryIndex {
  readonly name: string;
  readonly on: string;
  readonly kind: IndexDeclaration['kind'];
  readonly #parts: IndexParts;
  readonly #tree: EntryTree;
  readonly #ties: ValueTies | null;
  readonly #type: string;
  /** Keys below it, either side of 0, are values. */
  readonly #exactBelow: number;
  /** True where a cell has one number at most. */
  readonly #hasNumbers: boolean;
  #before: IndexedValues;
  #after: IndexedValues;
  #builtSlots = 0;

  constructor(parts: IndexParts, schema: CompiledSchema, name: string, { on, kind }: IndexDeclaration) {
    this.name = name;
    this.on = on;
    this.kind = kind;
    this.#parts = parts;
    this.#before = new IndexedValues(schema.orderKeys(on), kind);
    this.#after = new IndexedValues(schema.orderKeys(on), kind);
    const { path } = this.#after.order;
    this.#type = path.field.declaration.type;
    this.#exactBelow = kind === 'hash' ? Infinity : exactKeysBelow(this.#type);
    this.#hasNumbers = kind === 'sorted' && !path.isMulti && this.#exactBelow > 0;
    this.#ties =
      this.#exactBelow === Infinity
        ? null
        : new ValueTies(parts.arena, parts.slots, schema.orderKeys(on), this.#exactBelow);
    this.#tree = new EntryTree(this.#ties, this.#ties !== null && path.isMulti);
  }

  /**
   * Reads cells as a newer revision of their schema has them. False where this revision declares another index, or widened what it is
   * on: then it is to be dropped.
   */
  follow(schema: CompiledSchema): boolean {
    const declared = schema.declaration.indexes?.[this.name];
    if (declared?.on !== this.on || declared.kind !== this.kind) return false;
    const order = schema.orderKeys(this.on);
    if (order.path.field.declaration.type !== this.#type) return false;
    this.#before = new IndexedValues(order, this.kind);
    this.#after = new IndexedValues(schema.orderKeys(this.on), this.kind);
    this.#ties?.read(schema.orderKeys(this.on));
    return true;
  }

  /** True where one cell may have many entries. */
  get isMulti(): boolean {
    return this.#after.order.path.isMulti;
  }

  /**
   * True where the entries between two bounds are the cells that a clause means: it is sorted, a cell has one value at most, and there
   * is no NaN among the values, as which a clause compares in its own way.
   */
  get isPrecise(): boolean {
    return this.kind === 'sorted' && !this.isMulti && !FLOATS.has(this.#type);
  }

  get entries(): number {
    return this.#tree.count;
  }

  get memoryBytes(): number {
    return this.#tree.memoryBytes;
  }

  /** True once every cell is in it. */
  get isComplete(): boolean {
    return this.#builtSlots === Infinity;
  }

  /** Takes all cells there are for indexed. */
  complete(): void {
    this.#builtSlots = Infinity;
  }

  /** Frees its memory and is no longer to be asked. */
  drop(): void {
    this.#builtSlots = 0;
    this.#tree.clear();
  }

  /** Adds the cells of up to `slots` further slots; true while there is more to do. */
  build(schemaId: number, slots: number): boolean {
    const { arena, slots: table } = this.#parts;
    const end = Math.min(table.limit, this.#builtSlots + slots);
    for (let slot = this.#builtSlots; slot < end; slot++) {
      if (table.schemaId(slot) !== schemaId) continue;
      const address = table.address(slot);
      if (kindAt(arena.words, address) === KIND.cell) this.#replace(slot, 0, address);
    }
    this.#builtSlots = end === table.limit ? Infinity : end;
    return !this.isComplete;
  }

  /** A slot's cell at `before` gives way to the one at `after`; 0 is none. O(values log entries). */
  replace(slot: number, before: number, after: number): void {
    if (slot < this.#builtSlots) this.#replace(slot, before, after);
  }

  #replace(slot: number, before: number, after: number): void {
    if (this.#hasNumbers && this.#replaceNumber(slot, before, after)) return;
    this.#collect(this.#before, before);
    this.#collect(this.#after, after);
    this.#ties?.hold(slot, before);
    this.#apply(slot, this.#before, this.#after, false);
    this.#ties?.hold(slot, after);
    this.#apply(slot, this.#after, this.#before, true);
    this.#ties?.hold(-1, 0);
  }

  /** Does the same where a cell has one number, which is its key: most indexes are on such. False, and nothing done, where it is not. */
  #replaceNumber(slot: number, before: number, after: number): boolean {
    const old = this.#numberAt(before);
    const key = this.#numberAt(after);
    if (!this.#isExact(old) || !this.#isExact(key)) return false;
    if (old === key) return true;
    if (!Number.isNaN(old)) {
      this.#ties?.look(old, NO_BYTES, 0, 0);
      this.#tree.remove(old, slot);
    }
    if (!Number.isNaN(key)) {
      this.#ties?.look(key, NO_BYTES, 0, 0);
      this.#tree.insert(key, slot, 0);
    }
    return true;
  }

  /** The number of the cell at `address`; NaN of a null and where there is no cell. */
  #numberAt(address: number): number {
    if (address === 0) return NaN;
    const { bytes, words } = this.#parts.arena;
    return this.#after.order.path.readNumber(bytes, bodyStartAt(words, address), bodyBytesAt(words, address));
  }

  /** True for a key that is the value, or NaN. */
  #isExact(key: number): boolean {
    return !(Math.abs(key) >= this.#exactBelow);
  }

  #collect(values: IndexedValues, address: number): void {
    const { bytes, words } = this.#parts.arena;
    if (address === 0) values.clear();
    else values.collect(bytes, bodyStartAt(words, address), bodyBytesAt(words, address));
  }

  /** Inserts or removes the entries of `values` that `others` do not have. All that go are removed before any comes. */
  #apply(slot: number, values: IndexedValues, others: IndexedValues, inserts: boolean): void {
    let other = 0;
    for (let rank = 0; rank < values.count; rank++) {
      while (other < others.count && others.compare(other, values, rank) < 0) other += 1;
      if (other < others.count && this.#isSameEntry(values, rank, others, other)) continue;
      this.#look(values, rank);
      if (inserts) this.#tree.insert(values.key(rank), slot, values.item(rank));
      else this.#tree.remove(values.key(rank), slot);
    }
  }

  #look(values: IndexedValues, rank: number): void {
    const item = values.item(rank);
    const { order } = values;
    this.#ties?.look(values.key(rank), order.source(item), order.starts[item]!, order.ends[item]!);
  }

  /** Where entries say which item has the value, that must not have changed either. */
  #isSameEntry(values: IndexedValues, rank: number, others: IndexedValues, other: number): boolean {
    if (values.compare(rank, others, other) !== 0) return false;
    return this.#ties === null || values.item(rank) === others.item(other);
  }

  /** The bound at a value in the encoding of the path's type. Throws `SCHEMA_VIOLATION` where it is none. */
  boundOf(value: Uint8Array, isOpen: boolean): IndexBound {
    const { order } = this.#after;
    checkOperand(order.path.field, value);
    const key = this.kind === 'hash' ? order.hashAt(value, 0, value.length) : order.keyOf(value, 0, value.length);
    return { key, value, isOpen };
  }

  /** The range of the values that begin with some bytes; `BAD_REQUEST` where values are not bytes. */
  prefixRange(prefix: Uint8Array): IndexRange {
    if (!RANGES.has(this.#type))
      throw new NiobeError('BAD_REQUEST', `${this.on}: only text, bytes and the like have a prefix`);
    const from = this.#rangeBound(prefix, false);
    const last = prefix.findLastIndex((byte) => byte !== 0xff);
    if (last < 0) return { from, to: null };
    const behind = prefix.slice(0, last + 1);
    behind[last]! += 1;
    return { from, to: this.#rangeBound(behind, true) };
  }

  /** The bound at some bytes, which need not be a whole value. */
  #rangeBound(value: Uint8Array, isOpen: boolean): IndexBound {
    return { key: this.#after.order.keyOf(value, 0, value.length), value, isOpen };
  }

  /** Where the entries of a range begin and end; null where there are none at all. Valid until the next write. O(log entries). */
  place(range: IndexRange): PlacedRange | null {
    if (this.#tree.count === 0) return null;
    const from = new TreeCursor(this.#tree);
    const to = new TreeCursor(this.#tree);
    if (range.from === null) from.toFirst();
    else this.#seek(from, range.from, range.from.isOpen);
    if (range.to === null) to.toEnd();
    else this.#seek(to, range.to, !range.to.isOpen);
    return from.rank < to.rank ? { from, to } : null;
  }

  #seek(cursor: TreeCursor, { key, value }: IndexBound, isBehind: boolean): void {
    this.#ties?.look(key, value, 0, value.length);
    cursor.seek(key, isBehind ? Infinity : -1);
  }

  /** True if there is an entry for the value of this rank of a slot's cell. */
  has(values: IndexedValues, rank: number, slot: number): boolean {
    if (this.#tree.count === 0) return false;
    const cursor = new TreeCursor(this.#tree);
    this.#look(values, rank);
    cursor.seek(values.key(rank), slot);
    return !cursor.isAtEnd && cursor.slot === slot && this.isEntryOf(values, rank, cursor);
  }

  /** True if the entry behind a cursor is that of one of the values of its cell. */
  isEntryOf(values: IndexedValues, rank: number, entry: TreeCursor): boolean {
    return this.#ties === null ? values.key(rank) === entry.key : values.item(rank) === entry.item;
  }

  /** The values of a slot's cell, valid until the next call or write. */
  valuesOf(slot: number): IndexedValues {
    this.#collect(this.#before, this.#parts.slots.address(slot));
    return this.#before;
  }
}

/** What indexes need of their partition. */
export interface IndexParts {
  readonly arena: Arena;
  readonly slots: SlotTable;
}

/** One end of a range of values. */
export interface IndexBound {
  readonly key: number;
  /** In the encoding of the path's type. */
  readonly value: Uint8Array;
  /** True where the value itself does not belong to the range. */
  readonly isOpen: boolean;
}

/** Values between two bounds; null for no bound. */
export interface IndexRange {
  readonly from: IndexBound | null;
  readonly to: IndexBound | null;
}

/** The entries of a range: from one cursor up to the other. */
export interface PlacedRange {
  readonly from: TreeCursor;
  readonly to: TreeCursor;
}

const NO_BYTES = new Uint8Array(0);

/** Types whose values are ordered by their bytes. */
const RANGES: ReadonlySet<string> = new Set(['text', 'bytes', 'uuid', 'dict']);

const FLOATS: ReadonlySet<string> = new Set(['f32', 'f64']);

/** Types whose values are doubles, so that equal keys are equal values. */
const EXACT: ReadonlySet<string> = new Set([
  'bool',
  'i8',
  'i16',
  'i32',
  'u8',
  'u16',
  'u32',
  'f32',
  'f64',
  'timestamp',
  'date',
  'enum',
  'id',
  'char',
]);
/** Types whose values are doubles up to 2^53. */
const WIDE: ReadonlySet<string> = new Set(['i64', 'u64', 'i128', 'decimal']);

/** Keys of a type that lie below this are the value; 0 where a key is only the beginning of one. */
function exactKeysBelow(type: string): number {
  if (EXACT.has(type)) return Infinity;
  return WIDE.has(type) ? 2 ** 53 : 0;
}
