import type { CompiledSchema } from '@niobe/cells';
import {
  GetFrameBuilder,
  joinGrid,
  PARTITIONS,
  shardSubject,
  stampRequest,
  type GridClient,
  type PartitionTable,
} from '@niobe/grid';
import {
  ByteWriter,
  seededRandom,
  silentLogger,
  silentMeter,
  systemClock,
  systemRandom,
  type Random,
} from '@niobe/kernel';
import type { NatsGrid } from '@niobe/nats';
import { connectAsTool, type LocalSystem } from '@niobe/tool-check';

const DEPLOYMENT = 'retail';
const CELLS = 100_000;
const PUTS_AT_ONCE = 2_000;
const PAYLOAD_BYTES = 48;
const KEY_BYTES_MAX = 64;
const DEADLINE_MS = 10_000;
const SCHEMA = { name: 'bench-cell', key: 'integer', fields: { payload: { type: 'bytes', maxBytes: 64 } } } as const;

/** Bytes of one exchange, so that the echo moves the same. */
interface ExchangeBytes {
  readonly request: number;
  readonly reply: number;
}

/** getMany of random cells of one shard, and an echo of as many bytes. */
export class GetLoad {
  readonly #nats: NatsGrid;
  readonly #client: GridClient;
  readonly #schema: CompiledSchema;
  readonly #shard: string;
  readonly #keysByPartition: ReadonlyMap<number, readonly number[]>;
  readonly #keys: readonly number[];
  readonly #cellsPerMessage: number;
  readonly #random: Random = seededRandom(1);

  private constructor(
    nats: NatsGrid,
    client: GridClient,
    schema: CompiledSchema,
    table: PartitionTable,
    shard: string,
    cellsPerMessage: number,
  ) {
    this.#nats = nats;
    this.#client = client;
    this.#schema = schema;
    this.#shard = shard;
    this.#cellsPerMessage = cellsPerMessage;
    this.#keysByPartition = keysOf(schema, table, shard);
    this.#keys = [...this.#keysByPartition.values()].flat();
  }

  /** Joins the system and writes the cells. */
  static async open(system: LocalSystem, cellsPerMessage: number): Promise<GetLoad> {
    const nats = await connectAsTool(system.nats.address, DEPLOYMENT);
    const parts = { clock: systemClock, random: systemRandom(), logger: silentLogger, meter: silentMeter };
    const deployment = { name: DEPLOYMENT, partitions: PARTITIONS };
    const { catalogue, table, client } = await joinGrid(deployment, { bus: nats.bus, maps: nats.maps, ...parts });
    const [schema] = (await catalogue.ensure([SCHEMA])) as [CompiledSchema];
    const shard = system.shards[0]?.name ?? '';
    const load = new GetLoad(nats, client, schema, table, shard, cellsPerMessage);
    await load.#fill();
    return load;
  }

  async #fill(): Promise<void> {
    const payload = new Uint8Array(PAYLOAD_BYTES).fill(7);
    for (let at = 0; at < this.#keys.length; at += PUTS_AT_ONCE) {
      const keys = this.#keys.slice(at, at + PUTS_AT_ONCE);
      await Promise.all(keys.map((key) => this.#client.put(this.#schema, key, { payload })));
    }
  }

  /** One request of so many cells, all found. */
  async getMany(): Promise<void> {
    const cells = await this.#client.getMany(this.#schema, this.#chooseKeys());
    if (cells.length !== this.#cellsPerMessage) throw new Error('cells are missing');
  }

  #chooseKeys(): number[] {
    return Array.from({ length: this.#cellsPerMessage }, () => this.#keys[this.#random.below(this.#keys.length)] ?? 0);
  }

  /** Sizes of one real exchange. */
  async exchangeBytes(): Promise<ExchangeBytes> {
    const frame = this.#frame();
    stampRequest(frame, 1, DEADLINE_MS);
    const reply = await this.#nats.bus.request(shardSubject(DEPLOYMENT, this.#shard), frame, {
      deadlineMs: DEADLINE_MS,
    });
    return { request: frame.length, reply: reply.length };
  }

  /** A GET frame as the client makes it: keys grouped by partition. */
  #frame(): Uint8Array {
    const builder = new GetFrameBuilder();
    const key = new ByteWriter(KEY_BYTES_MAX);
    const each = Math.ceil(this.#cellsPerMessage / this.#keysByPartition.size);
    builder.start(1);
    for (const [partition, keys] of this.#keysByPartition) {
      builder.beginSection(partition, 0);
      for (const chosen of keys.slice(0, each)) {
        key.reset();
        this.#schema.encodeKey(chosen, key);
        builder.key(this.#schema.id, key.buffer, 0, key.length);
      }
      builder.endSection();
    }
    return builder.finish();
  }

  /** One exchange of the same sizes with a responder that does nothing. */
  async echo({ request, reply }: ExchangeBytes): Promise<void> {
    const payload = new Uint8Array(request);
    new DataView(payload.buffer).setUint32(0, reply, true);
    await this.#nats.bus.request('bench.echo', payload, { deadlineMs: DEADLINE_MS });
  }

  close(): Promise<void> {
    return this.#nats.close();
  }
}

/** The keys below {@link CELLS} that `shard` owns, by partition. */
function keysOf(schema: CompiledSchema, table: PartitionTable, shard: string): Map<number, number[]> {
  const keys = new Map<number, number[]>();
  const bytes = new ByteWriter(KEY_BYTES_MAX);
  for (let key = 0; key < CELLS; key++) {
    bytes.reset();
    schema.encodeKey(key, bytes);
    const partition = schema.partitionOfKey(bytes.buffer, 0, bytes.length, table.partitions);
    if (table.row(partition)?.primary !== shard) continue;
    const list = keys.get(partition);
    if (list === undefined) keys.set(partition, [key]);
    else list.push(key);
  }
  return keys;
}
