import {
  cellIdOf,
  compileSchema,
  partitionOfId,
  SchemaTable,
  type CompiledSchema,
  type SchemaDeclaration,
} from '@niobe/cells';
import { Adjacency, compileEdgeTypes, type EdgeType } from '@niobe/graph';
import {
  FIRST_SCHEMA_ID,
  MemoryNetwork,
  MemorySharedMaps,
  PartitionTable,
  SYSTEM_SCHEMAS,
  type Cell,
  type MemoryBus,
} from '@niobe/grid';
import {
  ByteWriter,
  ManualClock,
  NiobeError,
  seededRandom,
  silentLogger,
  silentMeter,
  systemClock,
  type Clock,
} from '@niobe/kernel';
import { Arena, noEvents, PartitionStore } from '@niobe/store';
import { Searcher } from '../src/coordinator/searcher.ts';
import type { SearchedCells } from '../src/engine/searched-cells.ts';
import { TraversalEngine } from '../src/engine/traversal-engine.ts';

/** A grid that is nothing but searched: partitions with vertices and edges in memory, engines over them, on the twin of the wire. */

const MIB = 1024 * 1024;
export const PARTITIONS = 8;
export const DEPLOYMENT = 'test';

export const VERTICES: readonly SchemaDeclaration[] = [
  { name: 'page', key: 'integer', fields: {} },
  { name: 'user', key: 'text', fields: {} },
  { name: 'product', key: 'text', fields: {} },
];

export const EDGES: readonly EdgeType[] = compileEdgeTypes(
  [
    { file: 'edges/links.json', declaration: { name: 'links', from: 'page', to: 'page' } },
    { file: 'edges/near.json', declaration: { name: 'near', from: 'page', to: 'page', directed: false } },
    { file: 'edges/purchased.json', declaration: { name: 'purchased', from: 'user', to: 'product' } },
  ],
  VERTICES,
);
export const [LINKS, NEAR, PURCHASED] = EDGES as [EdgeType, EdgeType, EdgeType];

function newSchemas(): SchemaTable {
  const schemas = new SchemaTable();
  for (const { id, declaration } of SYSTEM_SCHEMAS) schemas.add(compileSchema(id, 1, declaration));
  const declared = [...VERTICES, ...EDGES.flatMap((edge) => edge.schemas)];
  for (const [i, declaration] of declared.entries()) schemas.add(compileSchema(FIRST_SCHEMA_ID + i, 1, declaration));
  return schemas;
}

/** One shard: an engine that gets its slices from the clock. */
class TestShard {
  readonly bus: MemoryBus;
  readonly engine: TraversalEngine;
  slices = 0;
  #isAwake = false;

  constructor(grid: TestShards, name: string) {
    this.bus = grid.network.connect();
    const { clock } = grid;
    const wake = (): void => {
      if (this.#isAwake) return;
      this.#isAwake = true;
      clock.soon(() => {
        this.#isAwake = false;
        this.slices += 1;
        if (this.engine.slice()) wake();
      });
    };
    const parts = { bus: this.bus, clock, logger: silentLogger, meter: silentMeter };
    this.engine = new TraversalEngine({ ...parts, deployment: DEPLOYMENT, name, cells: grid.cellsOf(name), wake });
    this.engine.start();
  }
}

/** See the head of this file. */
export class TestShards {
  readonly clock: Clock;
  readonly network: MemoryNetwork;
  readonly schemas: SchemaTable = newSchemas();
  readonly stores: PartitionStore[] = [];
  readonly names: readonly string[];
  readonly shards = new Map<string, TestShard>();
  /** Rejects what is to become durable. */
  durability: () => Promise<void> = () => Promise.resolve();
  readonly #adjacency = new Adjacency(PARTITIONS);
  readonly #out = new ByteWriter(MIB);
  readonly #epochs = new Uint32Array(PARTITIONS).fill(1);
  readonly #maps: MemorySharedMaps;
  #table: PartitionTable | null = null;
  #searcher: Searcher | null = null;

  private constructor(shards: number, clock: Clock, seed: number) {
    this.clock = clock;
    this.network = new MemoryNetwork({ clock, random: seededRandom(seed) });
    this.#maps = new MemorySharedMaps(clock);
    this.names = Array.from({ length: shards }, (_, shard) => `shard-${shard}`);
    const arena = new Arena({ bytes: 128 * MIB });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const options = { partition, epoch: 1, arena, schemas: this.schemas, clock, firstSegment: 1, events: noEvents };
      this.stores.push(new PartitionStore(options));
    }
  }

  static async open(shards: number, clock: Clock = new ManualClock(), seed = 1): Promise<TestShards> {
    const grid = new TestShards(shards, clock, seed);
    await grid.drive(grid.#open());
    return grid;
  }

  async #open(): Promise<void> {
    const table = await PartitionTable.open({ maps: this.#maps, partitions: PARTITIONS, logger: silentLogger });
    this.#table = table;
    await table.ensureRows(['shard-0']);
    for (let partition = 0; partition < PARTITIONS; partition++) await this.#activate(partition);
    for (const name of this.names) this.startShard(name);
    this.#searcher = new Searcher({
      bus: this.network.connect(),
      deployment: DEPLOYMENT,
      table: this.#shared(table),
      client: { get: (schema, key) => Promise.resolve(this.#cell(schema, key)) },
      schemas: this.schemas,
      clock: this.clock,
      random: seededRandom(7),
      logger: silentLogger,
      meter: silentMeter,
    });
  }

  async #activate(partition: number): Promise<void> {
    const claimed = await this.#table!.claim(partition, 'shard-0', 'test', this.#epochs[partition]);
    this.#epochs[partition] = claimed.epoch;
    await this.#table!.activate(claimed);
  }

  /** The rows all name shard-0; partitions are dealt out evenly instead. */
  #shared(table: PartitionTable): PartitionTable {
    return new Proxy(table, {
      get: (target, property) => {
        if (property === 'row')
          return (partition: number) => ({ ...target.row(partition)!, primary: this.ownerOf(partition) });
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  ownerOf(partition: number): string {
    return this.names[partition % this.names.length]!;
  }

  cellsOf(name: string): SearchedCells {
    return {
      schemas: this.schemas,
      storeOf: (partition, epoch) => {
        if (this.ownerOf(partition) === name && epoch === this.#epochs[partition]) return this.stores[partition]!;
        throw new NiobeError('NOT_PRIMARY', `partition ${partition} is not served here at epoch ${epoch}`);
      },
      whenDurable: () => this.durability(),
    };
  }

  get searcher(): Searcher {
    return this.#searcher!;
  }

  startShard(name: string): void {
    this.shards.set(name, new TestShard(this, name));
  }

  /** As kill -9. Its cells are still there when it is started again, as if they had been recovered at once, at a new epoch. */
  async killShard(name: string): Promise<void> {
    await this.shards.get(name)!.bus.close();
    for (let partition = 0; partition < PARTITIONS; partition++)
      if (this.ownerOf(partition) === name) await this.drive(this.#activate(partition));
  }

  /** Tasks that have state at any shard. */
  get tasks(): number {
    return [...this.shards.values()].reduce((sum, { engine }) => sum + engine.tasks, 0);
  }

  /** Writes a vertex and returns its id. */
  vertex(schemaName: string, key: string | number): number {
    const schema = this.schemas.byName(schemaName)!;
    const keyBytes = this.#key(schema, key);
    schema.encode({}, this.#out);
    const store = this.stores[schema.partitionOfKey(this.#out.buffer, 0, keyBytes, PARTITIONS)]!;
    store.begin();
    store.put(schema.id, this.#out.buffer, 0, keyBytes, keyBytes, this.#out.length - keyBytes, 0);
    const slot = store.lastSlot;
    store.commit();
    return store.idOf(slot);
  }

  deleteVertex(schemaName: string, key: string | number): void {
    const schema = this.schemas.byName(schemaName)!;
    const keyBytes = this.#key(schema, key);
    const store = this.stores[schema.partitionOfKey(this.#out.buffer, 0, keyBytes, PARTITIONS)]!;
    store.begin();
    store.delete(schema.id, this.#out.buffer, 0, keyBytes, 0, 0);
    store.commit();
  }

  /** Links both sides. */
  edge(edge: EdgeType, from: number, to: number): void {
    this.link(edge.adjacency(edge.directed ? 'out' : 'both'), from, [to]);
    this.link(edge.adjacency(edge.directed ? 'in' : 'both'), to, [from]);
  }

  /** Adds neighbours to one list. */
  link(adjacency: string, own: number, neighbours: readonly number[]): void {
    this.#out.reset();
    for (const id of neighbours) this.#out.u53(id);
    const store = this.stores[partitionOfId(own)]!;
    store.begin();
    this.#adjacency.link(store, this.schemas.byName(adjacency)!.id, own, this.#out.buffer, 0, neighbours.length);
    store.commit();
  }

  /** Lets time pass until `work` is settled. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const { clock } = this;
    if (!(clock instanceof ManualClock)) return work;
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (let i = 0; !isOver; i++) {
      await turn();
      if (!isOver && i > 0) clock.advance(1);
    }
    return work;
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i += 10) {
      await turn();
      (this.clock as ManualClock).advance(10);
    }
  }

  #key(schema: CompiledSchema, key: string | number): number {
    this.#out.reset();
    schema.encodeKey(key, this.#out);
    return this.#out.length;
  }

  #cell(schema: CompiledSchema, key: string | number): Cell | null {
    const keyBytes = this.#key(schema, key);
    const store = this.stores[schema.partitionOfKey(this.#out.buffer, 0, keyBytes, PARTITIONS)]!;
    const slot = store.find(schema.id, this.#out.buffer, 0, keyBytes);
    if (slot < 0) return null;
    const version = { epoch: store.versionEpoch(slot), seq: store.versionSeq(slot) };
    return { id: store.idOf(slot), record: {}, version, expiresS: 0 };
  }
}

/** An id that belongs to no cell. */
export function strayId(partition: number, slot: number): number {
  return cellIdOf(partition, 9, slot);
}

/** Lets what is due in this turn of the event loop happen. */
function turn(): Promise<void> {
  return new Promise((resolve) => systemClock.soon(resolve));
}
