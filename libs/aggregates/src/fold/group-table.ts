import type { BodyBuilder, CompiledSchema } from '@niobe/cells';
import type { ByteWriter } from '@niobe/kernel';
import type { Cube, DimensionSet } from '../cube/cube.ts';
import { GroupKeyReader, integerAt } from '../cube/group-key.ts';
import { Accumulators } from './accumulators.ts';

/**
 * The groups that one batch touches in one dimension set of one cube: open addressing with linear probing from key bytes to a group
 * number, columns of typed arrays by group, and a chain of groups per grid partition.
 *
 * The keys of all tables of a folder lie in one buffer; a table keeps where. The values of the dimensions are read back from the key. The hash of a key is worked out once, by the folder: its
 * low bits are the grid partition, so the table takes the others.
 */

const SMALLEST_GROUPS = 256;
const NO_GROUP = -1;
/** The first field of a cell. */
const PANE_INDEX = 0;

export class GroupTable {
  readonly cube: Cube;
  readonly set: DimensionSet;
  readonly schema: CompiledSchema;
  /** Bytes that a new group's operation takes beside its key and the texts of its dimensions. */
  readonly opBytes: number;
  readonly #keys: ByteWriter;
  readonly #builder: BodyBuilder;
  readonly #accumulators: Accumulators;
  readonly #heads: Int32Array;
  readonly #key = new GroupKeyReader();
  readonly #isText: Uint8Array;
  #capacity = SMALLEST_GROUPS;
  #groups = 0;
  /** By slot: group + 1; 0 is free. Twice as many slots as groups fit. */
  #slots = new Int32Array(2 * SMALLEST_GROUPS);
  #slotOf = new Int32Array(SMALLEST_GROUPS);
  #hashes = new Uint32Array(SMALLEST_GROUPS);
  #keyAt = new Uint32Array(SMALLEST_GROUPS);
  #keyBytes = new Uint16Array(SMALLEST_GROUPS);
  #panes = new Float64Array(SMALLEST_GROUPS);
  #next = new Int32Array(SMALLEST_GROUPS);

  /**
   * @param keys where the folder puts the keys of all its tables.
   * @param partitions grid partitions.
   */
  constructor(cube: Cube, set: DimensionSet, schema: CompiledSchema, keys: ByteWriter, partitions: number) {
    this.cube = cube;
    this.set = set;
    this.schema = schema;
    this.#keys = keys;
    this.#builder = schema.bodyBuilder();
    this.#accumulators = new Accumulators(cube.measures, SMALLEST_GROUPS);
    this.#heads = new Int32Array(partitions).fill(NO_GROUP);
    this.#isText = Uint8Array.from(set.dimensions, ({ kind }) => (kind === 'text' ? 1 : 0));
    this.opBytes = OP_HEADER_BYTES + schema.fields.length * FIELD_BYTES_MAX + BODY_HEAD_BYTES_MAX;
  }

  /** Groups so far. */
  get groups(): number {
    return this.#groups;
  }

  get accumulators(): Accumulators {
    return this.#accumulators;
  }

  /** The group of the key `keys[at, at + length)`, or -1. O(1) expected. */
  find(hash: number, at: number, length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (hash >>> PARTITION_BITS) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const group = this.#slots[slot]! - 1;
      if (this.#hashes[group] === hash && this.#keyBytes[group] === length && this.#sameKey(group, at, length))
        return group;
    }
    return NO_GROUP;
  }

  #sameKey(group: number, at: number, length: number): boolean {
    const bytes = this.#keys.buffer;
    const other = this.#keyAt[group]!;
    for (let i = 0; i < length; i++) if (bytes[other + i] !== bytes[at + i]) return false;
    return true;
  }

  /** Adds a group whose key `keys[at, at + length)` is not there yet. */
  open(hash: number, at: number, length: number, pane: number, partition: number): number {
    if (this.#groups === this.#capacity) this.#grow();
    const group = this.#groups++;
    this.#hashes[group] = hash;
    this.#keyAt[group] = at;
    this.#keyBytes[group] = length;
    this.#panes[group] = pane;
    this.#next[group] = this.#heads[partition]!;
    this.#heads[partition] = group;
    this.#place(group);
    this.#accumulators.open(group);
    return group;
  }

  #place(group: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[group]! >>> PARTITION_BITS) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = group + 1;
    this.#slotOf[group] = slot;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#slots = new Int32Array(2 * this.#capacity);
    this.#slotOf = widened(this.#slotOf, new Int32Array(this.#capacity));
    this.#hashes = widened(this.#hashes, new Uint32Array(this.#capacity));
    this.#keyAt = widened(this.#keyAt, new Uint32Array(this.#capacity));
    this.#keyBytes = widened(this.#keyBytes, new Uint16Array(this.#capacity));
    this.#panes = widened(this.#panes, new Float64Array(this.#capacity));
    this.#next = widened(this.#next, new Int32Array(this.#capacity));
    this.#accumulators.grow(this.#capacity);
    for (let group = 0; group < this.#groups; group++) this.#place(group);
  }

  /** Forgets all groups and keeps the room. O(groups), not O(room). */
  clear(): void {
    for (let group = 0; group < this.#groups; group++) this.#slots[this.#slotOf[group]!] = 0;
    this.#groups = 0;
    this.#heads.fill(NO_GROUP);
    this.#accumulators.clear();
  }

  /** First group of a grid partition, or -1. */
  firstOf(partition: number): number {
    return this.#heads[partition]!;
  }

  /** The next group of the same partition, or -1. */
  after(group: number): number {
    return this.#next[group]!;
  }

  keyAt(group: number): number {
    return this.#keyAt[group]!;
  }

  keyBytes(group: number): number {
    return this.#keyBytes[group]!;
  }

  pane(group: number): number {
    return this.#panes[group]!;
  }

  /** Appends the group's delta as a cell body and returns its length. */
  writeBody(group: number, out: ByteWriter): number {
    const builder = this.#builder;
    builder.begin(out);
    builder.setNumber(PANE_INDEX, this.#panes[group]! * this.cube.windowMs);
    this.#key.start(this.#keys.buffer, this.#keyAt[group]!);
    for (let i = 0; i < this.#isText.length; i++) this.#writeDimension(i);
    this.#accumulators.write(group, builder, 1 + this.#isText.length);
    return builder.end();
  }

  #writeDimension(index: number): void {
    const key = this.#key;
    key.next();
    if (key.isNull) return;
    const bytes = this.#keys.buffer;
    if (this.#isText[index] === 1) return this.#builder.setText(1 + index, bytes, key.textStart, key.textEnd);
    const value = integerAt(bytes, key.textStart, key.textEnd);
    if (typeof value === 'bigint') this.#builder.setBigint(1 + index, value);
    else this.#builder.setNumber(1 + index, value);
  }
}

/** Low bits of a hash that pick the grid partition; at most 4,096 of them. */
const PARTITION_BITS = 12;
/** Header of a merge operation in a frame. */
const OP_HEADER_BYTES = 16;
/** The widest fixed field, an i128. */
const FIELD_BYTES_MAX = 16;
/** Number of fields, bitmap and end offsets of a body, generously. */
const BODY_HEAD_BYTES_MAX = 64;

function widened<T extends Float64Array | Int32Array | Uint16Array | Uint32Array>(column: T, into: T): T {
  into.set(column);
  return into;
}
