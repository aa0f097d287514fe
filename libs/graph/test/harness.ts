import { compileSchema, SchemaTable, type CompiledSchema, type SchemaDeclaration } from '@niobe/cells';
import { FIRST_SCHEMA_ID, SYSTEM_SCHEMAS } from '@niobe/grid';
import { ByteWriter, ManualClock } from '@niobe/kernel';
import { Arena, PartitionStore, type RecoveredSegment, type StoreEvents } from '@niobe/store';
import { compileEdgeTypes } from '../src/edges/compile-edge-types.ts';
import type { EdgeType } from '../src/edges/edge-type.ts';
import { Adjacency } from '../src/lists/adjacency.ts';
import { NeighbourReader } from '../src/lists/neighbour-reader.ts';

/** What the tests of lists share: partitions with vertices, links given as numbers, and a log from which a partition is recovered. */

const MIB = 1024 * 1024;
export const PARTITIONS = 4;

const PERSON: SchemaDeclaration = { name: 'person', key: 'integer', fields: {} };

const FILLER: SchemaDeclaration = {
  name: 'filler',
  key: 'integer',
  fields: { bytes: { type: 'bytes', maxBytes: MIB } },
};

/** People who follow, know and pay each other. */
export const EDGES: readonly EdgeType[] = compileEdgeTypes(
  [
    { file: 'edges/follows.json', declaration: { name: 'follows', from: 'person', to: 'person' } },
    { file: 'edges/knows.json', declaration: { name: 'knows', from: 'person', to: 'person', directed: false } },
    {
      file: 'edges/paid.json',
      declaration: { name: 'paid', from: 'person', to: 'person', counters: { times: { type: 'u64' } } },
    },
  ],
  [PERSON],
);
export const [FOLLOWS, KNOWS, PAID] = EDGES as [EdgeType, EdgeType, EdgeType];

export function newSchemas(): SchemaTable {
  const schemas = new SchemaTable();
  for (const { id, declaration } of SYSTEM_SCHEMAS) schemas.add(compileSchema(id, 1, declaration));
  const declared = [PERSON, FILLER, ...EDGES.flatMap((edge) => edge.schemas)];
  for (const [index, declaration] of declared.entries())
    schemas.add(compileSchema(FIRST_SCHEMA_ID + index, 1, declaration));
  return schemas;
}

/** The log of a partition, kept as it is written. */
class KeptLog implements StoreEvents {
  store: PartitionStore | null = null;
  readonly #segments = new Map<number, ByteWriter>();

  appended(segment: number, start: number, end: number): void {
    const kept = this.#segments.get(segment) ?? new ByteWriter(16 * MIB, 64 * 1024);
    this.#segments.set(segment, kept);
    kept.raw(this.store!.segmentBytes(segment).subarray(start, end));
  }

  opened(): void {}

  sealed(): void {}

  retired(segment: number): void {
    this.#segments.delete(segment);
    this.store!.release(segment);
  }

  segments(): RecoveredSegment[] {
    return [...this.#segments].map(([segment, kept]) => ({ segment, bytes: kept.finish(), durableBytes: kept.length }));
  }
}

/** Leaves 3 MiB beside the reserve of a small arena. */
const BALLAST_BYTES: readonly number[] = [4 * MIB, MIB];
const BALLAST_SEGMENT = 999;

/** One partition of a graph. */
export class TestPartition {
  store: PartitionStore;
  readonly schemas: SchemaTable = newSchemas();
  readonly #partition: number;
  readonly #isScarce: boolean;
  readonly #adjacency = new Adjacency(PARTITIONS);
  readonly #out = new ByteWriter(MIB);
  #log = new KeptLog();
  #epoch = 1;
  #churns = 0;

  /** @param isScarce memory for so little that everything is cleaned all the time */
  constructor(partition = 0, isScarce = false) {
    this.#partition = partition;
    this.#isScarce = isScarce;
    this.store = new PartitionStore(this.#options());
    this.#log.store = this.store;
  }

  #options(): ConstructorParameters<typeof PartitionStore>[0] {
    const arena = new Arena({ bytes: this.#isScarce ? 16 * MIB : 32 * MIB });
    if (this.#isScarce) for (const bytes of BALLAST_BYTES) arena.open(BALLAST_SEGMENT, bytes, 'write', 0);
    const { schemas } = this;
    const clock = new ManualClock();
    const events = this.#log;
    return { partition: this.#partition, epoch: this.#epoch, arena, schemas, clock, firstSegment: 1, events };
  }

  /** Starts again from the log. */
  crash(): void {
    const segments = this.#log.segments();
    this.#epoch += 1;
    this.store = PartitionStore.recover(this.#options(), segments);
    this.#log.store = this.store;
  }

  schema(name: string): CompiledSchema {
    return this.schemas.byName(name)!;
  }

  batch(work: () => void): void {
    this.store.begin();
    work();
    this.store.commit();
  }

  /** Writes a vertex and returns its id. In an open batch. */
  person(key: number): number {
    return this.merge('person', key, {});
  }

  deletePerson(key: number): void {
    const person = this.schema('person');
    this.#out.reset();
    person.encodeKey(key, this.#out);
    this.store.delete(person.id, this.#out.buffer, 0, this.#out.length, 0, 0);
  }

  /** Merges a record into a cell and returns its id. In an open batch. */
  merge(schemaName: string, key: string | number, record: Parameters<CompiledSchema['encode']>[0]): number {
    const schema = this.schema(schemaName);
    this.#out.reset();
    schema.encodeKey(key, this.#out);
    const keyBytes = this.#out.length;
    schema.encode(record, this.#out);
    const { buffer, length } = this.#out;
    this.store.merge(schema.id, buffer, 0, keyBytes, keyBytes, length - keyBytes, 0);
    return this.store.idOf(this.store.lastSlot);
  }

  /** Links in an open batch. */
  link(schemaName: string, ownId: number, neighbours: readonly number[]): number {
    this.#out.reset();
    for (const id of neighbours) this.#out.u53(id);
    const schemaId = this.schema(schemaName).id;
    return this.#adjacency.link(this.store, schemaId, ownId, this.#out.buffer, 0, neighbours.length);
  }

  /** The neighbours as the reader walks them. */
  neighbours(schemaName: string, ownId: number): number[] {
    return [...this.walk(schemaName, ownId)].flat();
  }

  /** A walk part by part, whose list is begun at once. */
  walk(schemaName: string, ownId: number): Generator<number[], void, undefined> {
    const reader = new NeighbourReader();
    const low = ownId % 2 ** 32;
    const high = Math.floor(ownId / 2 ** 32);
    return parts(reader, reader.begin(this.store, this.schema(schemaName).id, low, high));
  }

  /** Overwrites and cleans so much that, where memory is scarce, every cell is moved; what is free then is filled with rubbish. */
  churn(): void {
    for (let i = 0; i < 20; i++) {
      const bytes = new Uint8Array(MIB / 4).fill(this.#churns++);
      this.batch(() => this.merge('filler', i % 2, { bytes }));
      for (let slices = 0; slices < 20 && this.store.clean(1); slices++);
    }
    const used = this.store.segments().map(({ segment }) => this.store.segmentBytes(segment));
    let free = 0;
    for (const segment of used.toSorted((a, b) => a.byteOffset - b.byteOffset)) {
      this.store.bytes.fill(0xff, free, segment.byteOffset);
      free = segment.byteOffset + segment.length;
    }
  }

  /** Breaks every chunk: makes it name itself as the next. */
  loopChunks(): void {
    const { store } = this;
    const chunk = this.schema('niobe.edge-chunk');
    const slots: number[] = [];
    store.scan(chunk.id, null, 0, Infinity, Infinity, (slot) => void slots.push(slot));
    this.batch(() => {
      for (const slot of slots) {
        const { refs } = chunk.decode(store.bytes, store.bodyStart(slot), store.bodyBytes(slot));
        this.#out.reset();
        chunk.encode({ next: store.idOf(slot), refs: refs! }, this.#out);
        store.overwrite(slot, this.#out.buffer, 0, this.#out.length);
      }
    });
  }

  /** References in each chunk of the partition. */
  chunkSizes(): number[] {
    const chunk = this.schema('niobe.edge-chunk');
    const sizes: number[] = [];
    this.store.scan(chunk.id, null, 0, Infinity, Infinity, (slot) => {
      const at = this.store.bodyStart(slot);
      const length = this.store.bodyBytes(slot);
      sizes.push((at + length - chunk.rangeStart(this.store.bytes, at, length, 1)) / 8);
    });
    return sizes;
  }
}

function* parts(reader: NeighbourReader, degree: number): Generator<number[], void, undefined> {
  let walked = 0;
  for (let count = reader.next(); count > 0; count = reader.next()) {
    walked += count;
    yield Array.from({ length: count }, (_, i) => reader.highs[i]! * 2 ** 32 + reader.lows[i]!);
  }
  if (walked !== degree) throw new Error(`degree ${degree}, ${walked} neighbours`);
}
