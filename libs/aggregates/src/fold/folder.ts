import { CELL_BYTES_MAX, KEY_BYTES_MAX, type CompiledSchema } from '@niobe/cells';
import type { EventType, ReadEvent } from '@niobe/events';
import { OpKind, type SectionBuilder } from '@niobe/grid';
import { assert, ByteWriter, murmur32 } from '@niobe/kernel';
import type { Cube } from '../cube/cube.ts';
import { appendDimension, appendPane, type DimensionValue } from '../cube/group-key.ts';
import { paneEndMs, paneOf } from '../cube/window.ts';
import { Contributions, measureFieldsOf, type MeasureFields } from './contributions.ts';
import { GroupTable } from './group-table.ts';

/**
 * Folds a run of events of one Kafka partition into deltas: for each (cube, dimension values, pane) one merge operation, sorted by
 * grid partition, ready to be sent.
 *
 * 1. A dimension's text is written once per event, whatever number of sets uses it; a group's key is put together from those pieces
 *    at the end of one buffer and stays there if the group is new.
 * 2. The hash of the key picks the grid partition and the slot in the set's table. An event below the partition's cursor is in
 *    there already, so it is passed over for this group and for no other.
 * 3. Nothing is allocated per event or group: tables, keys and accumulators are columns that grow to the largest batch and stay.
 * 4. When the deltas of one grid partition have grown to {@link DELTA_BYTES_MAX} the folder is full: the batch is cut there.
 */

/** Deltas of one grid partition in one batch; with one event more they stay below half a frame. */
export const DELTA_BYTES_MAX: number = 512 * 1024;

/** What a table says of a key it does not have. */
const NEW_GROUP = -1;
const ALREADY_IN = -2;

/** Bound of the keys of one batch, of all partitions and sets together. */
const KEYS_BYTES_MAX = 256 * 1024 * 1024;

/** Finds the compiled schema of a set by its name. */
export type SchemaOf = (name: string) => CompiledSchema;

/** How a cube reads one event type. */
interface CubeReader {
  readonly cube: Cube;
  readonly tables: readonly GroupTable[];
  readonly contributions: Contributions;
  readonly measures: MeasureFields;
  /** By set: for each dimension the index of its piece; see {@link TypeReader.pieces}. */
  readonly pieces: readonly Uint8Array[];
}

/** How one event type is read by all cubes. */
interface TypeReader {
  /** Fields used as dimensions, each once; -1 stands for "this type has no such field". */
  readonly pieces: Int16Array;
  readonly cubes: readonly CubeReader[];
}

/** See the head of this file. */
export class Folder {
  readonly #partitions: number;
  readonly #keys = new ByteWriter(KEYS_BYTES_MAX, 1 << 16);
  readonly #pieces = new ByteWriter(CELL_BYTES_MAX, 4096);
  readonly #pieceEnds = new Uint32Array(257);
  readonly #body = new ByteWriter(CELL_BYTES_MAX, 1024);
  readonly #tables: GroupTable[] = [];
  readonly #readers = new Map<EventType, TypeReader>();
  readonly #deltaBytes: Uint32Array;
  #largestDeltaBytes = 0;
  #cursors: Float64Array;
  #expired = 0;
  /** The most that one event can add to the deltas of one grid partition. */
  readonly #eventBytesMax: number;

  /** @param partitions grid partitions, a power of two up to 4,096. */
  constructor(cubes: readonly Cube[], schemaOf: SchemaOf, partitions: number) {
    assert((partitions & (partitions - 1)) === 0, 'grid partitions are a power of two');
    this.#partitions = partitions;
    this.#deltaBytes = new Uint32Array(partitions);
    this.#cursors = new Float64Array(partitions);
    const tablesOf = new Map(cubes.map((cube) => [cube, this.#tablesOf(cube, schemaOf)]));
    for (const type of new Set(cubes.flatMap(({ eventTypes }) => eventTypes))) {
      this.#readers.set(type, typeReader(type, cubes, tablesOf));
    }
    this.#eventBytesMax = this.#tables.reduce((bytes, { opBytes }) => bytes + opBytes + 2 * KEY_BYTES_MAX, 0);
    assert(this.#eventBytesMax < DELTA_BYTES_MAX, 'the deltas of one event fit a batch');
  }

  #tablesOf(cube: Cube, schemaOf: SchemaOf): GroupTable[] {
    const tables = cube.sets.map(
      (set) => new GroupTable(cube, set, schemaOf(set.schema.name), this.#keys, this.#partitions),
    );
    this.#tables.push(...tables);
    return tables;
  }

  /** Groups of the batch so far. */
  get groups(): number {
    return this.#tables.reduce((groups, table) => groups + table.groups, 0);
  }

  /** Events of the batch that a cube did not take because the pane has expired; one count per cube. */
  get expired(): number {
    return this.#expired;
  }

  /** The batch must be cut before the next event. */
  get full(): boolean {
    return this.#largestDeltaBytes + this.#eventBytesMax > DELTA_BYTES_MAX;
  }

  /** Bytes of a grid partition's deltas, a bound from above; 0 if there are none. */
  deltaBytes(partition: number): number {
    return this.#deltaBytes[partition]!;
  }

  /**
   * Begins a batch.
   * @param cursors by grid partition: events below are not folded for it. Read while the batch is folded, so it must not change.
   */
  begin(cursors: Float64Array): void {
    assert(cursors.length === this.#partitions, 'there is a cursor for each grid partition');
    for (const table of this.#tables) table.clear();
    this.#keys.reset();
    this.#deltaBytes.fill(0);
    this.#largestDeltaBytes = 0;
    this.#cursors = cursors;
    this.#expired = 0;
  }

  /**
   * Folds one event. O(sets).
   * @param arrivalMs the record's Kafka timestamp.
   * @returns the cube that cannot take the event because a product is too large (contributions.ts), or null. Others have taken it.
   */
  fold(event: ReadEvent, offset: number, arrivalMs: number): Cube | null {
    const reader = this.#readers.get(event.type);
    if (reader === undefined) return null;
    this.#writePieces(reader.pieces, event);
    let refusing: Cube | null = null;
    for (const cube of reader.cubes) {
      if (!this.#foldCube(cube, event, offset, arrivalMs)) refusing = cube.cube;
    }
    return refusing;
  }

  #writePieces(fields: Int16Array, event: ReadEvent): void {
    const out = this.#pieces;
    out.reset();
    for (let i = 0; i < fields.length; i++) {
      appendDimension(out, valueOf(event, fields[i]!));
      this.#pieceEnds[i + 1] = out.length;
    }
  }

  #foldCube(reader: CubeReader, event: ReadEvent, offset: number, arrivalMs: number): boolean {
    const { cube, tables, contributions } = reader;
    const pane = paneOf(event.timeMs, cube.windowMs);
    if (paneEndMs(pane, cube.windowMs) + cube.keepMs <= arrivalMs) {
      this.#expired += 1;
      return true;
    }
    if (!contributions.read(event.values, reader.measures)) return false;
    for (let s = 0; s < tables.length; s++) {
      const group = this.#groupOf(tables[s]!, reader.pieces[s]!, pane, offset);
      if (group !== ALREADY_IN) tables[s]!.accumulators.add(group, contributions);
    }
    return true;
  }

  /** The event's group in a table, opened if it is new, or ALREADY_IN where the group's partition has the event. */
  #groupOf(table: GroupTable, pieces: Uint8Array, pane: number, offset: number): number {
    const keys = this.#keys;
    const at = keys.length;
    this.#writeKey(pieces, pane);
    const length = keys.length - at;
    const hash = murmur32(keys.buffer, at, at + length, table.schema.hashSeed);
    const partition = hash & (this.#partitions - 1);
    const known = offset < this.#cursors[partition]! ? ALREADY_IN : table.find(hash, at, length);
    if (known !== NEW_GROUP) {
      keys.truncate(at);
      return known;
    }
    const group = table.open(hash, at, length, pane, partition);
    this.#countBytes(partition, table.opBytes + 2 * length);
    return group;
  }

  #writeKey(pieces: Uint8Array, pane: number): void {
    const keys = this.#keys;
    appendPane(keys, pane);
    const from = this.#pieces.buffer;
    for (let i = 0; i < pieces.length; i++) {
      const start = this.#pieceEnds[pieces[i]!]!;
      const length = this.#pieceEnds[pieces[i]! + 1]! - start;
      const at = keys.reserve(length);
      const into = keys.buffer;
      for (let b = 0; b < length; b++) into[at + b] = from[start + b]!;
    }
  }

  #countBytes(partition: number, bytes: number): void {
    const sum = this.#deltaBytes[partition]! + bytes;
    this.#deltaBytes[partition] = sum;
    if (sum > this.#largestDeltaBytes) this.#largestDeltaBytes = sum;
  }

  /** Appends the deltas of a grid partition to a section, as merge operations. */
  writeOps(partition: number, section: SectionBuilder): void {
    for (const table of this.#tables) {
      for (let group = table.firstOf(partition); group >= 0; group = table.after(group))
        this.#writeOp(table, group, section);
    }
  }

  #writeOp(table: GroupTable, group: number, section: SectionBuilder): void {
    const body = this.#body;
    body.reset();
    const bodyBytes = table.writeBody(group, body);
    const expiresS = expirySecond(table.cube, table.pane(group));
    section.op(
      OpKind.MERGE,
      table.schema.id,
      expiresS,
      this.#keys.buffer,
      table.keyAt(group),
      table.keyBytes(group),
      body.buffer,
      0,
      bodyBytes,
    );
  }
}

/** Unix second at which the cell of a pane expires; 0 = never. */
function expirySecond(cube: Cube, pane: number): number {
  const endMs = paneEndMs(pane, cube.windowMs) + cube.keepMs;
  return endMs === Number.POSITIVE_INFINITY ? 0 : Math.ceil(endMs / 1000);
}

function valueOf(event: ReadEvent, field: number): DimensionValue {
  return field < 0 ? null : (event.values[field] as DimensionValue);
}

function typeReader(
  type: EventType,
  cubes: readonly Cube[],
  tablesOf: ReadonlyMap<Cube, readonly GroupTable[]>,
): TypeReader {
  const pieces: number[] = [];
  const pieceOf = (name: string): number => {
    const field = type.field(name)?.index ?? -1;
    const known = pieces.indexOf(field);
    return known >= 0 ? known : pieces.push(field) - 1;
  };
  const readers = cubes
    .filter(({ eventTypes }) => eventTypes.includes(type))
    .map((cube) => ({
      cube,
      tables: tablesOf.get(cube)!,
      contributions: new Contributions(cube.measures),
      measures: measureFieldsOf(cube, type),
      pieces: cube.sets.map(({ dimensions }) => Uint8Array.from(dimensions, ({ name }) => pieceOf(name))),
    }));
  assert(pieces.length <= 255, 'an event type has at most 255 fields that are dimensions');
  return { pieces: Int16Array.from(pieces), cubes: readers };
}
