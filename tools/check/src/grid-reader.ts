import { SchemaTable, type CellRecord } from '@niobe/cells';
import { GridClient, PartitionTable, SchemaCatalogue } from '@niobe/grid';
import { NiobeError, silentLogger, silentMeter, systemClock, systemRandom } from '@niobe/kernel';
import type { NatsGrid } from '@niobe/nats';
import { connectAsTool } from './system/connect.ts';

/** One cell as a scan gave it. */
export interface ScannedCell {
  readonly id: number;
  readonly key: string | number;
  readonly record: CellRecord;
}

/** Where the cells of a schema come from: a system, or a test. */
export interface CellSource {
  cells(schema: string): AsyncIterable<ScannedCell>;
}

const PARTITIONS = 64;

/** Reads all cells of a schema of a running system, past every service but the shards. */
export class GridReader implements CellSource {
  readonly #nats: NatsGrid;
  readonly #table: PartitionTable;
  readonly #catalogue: SchemaCatalogue;
  readonly #schemas: SchemaTable;
  readonly #client: GridClient;

  private constructor(
    nats: NatsGrid,
    table: PartitionTable,
    catalogue: SchemaCatalogue,
    schemas: SchemaTable,
    deployment: string,
  ) {
    this.#nats = nats;
    this.#table = table;
    this.#catalogue = catalogue;
    this.#schemas = schemas;
    const clock = systemClock;
    this.#client = new GridClient({
      bus: nats.bus,
      table,
      clock,
      random: systemRandom(),
      deployment,
      meter: silentMeter,
    });
  }

  /** Joins the system whose NATS is at `address`. */
  static async open(address: string, deployment: string): Promise<GridReader> {
    const nats = await connectAsTool(address, deployment);
    const { maps } = nats;
    const table = await PartitionTable.open({ maps, partitions: PARTITIONS, logger: silentLogger });
    const schemas = new SchemaTable();
    const catalogue = await SchemaCatalogue.open({ maps, schemas, logger: silentLogger });
    await Promise.all([table.caughtUp, catalogue.caughtUp]);
    return new GridReader(nats, table, catalogue, schemas, deployment);
  }

  /** Every cell of a schema; `NOT_FOUND` where no such schema is registered. */
  async *cells(name: string): AsyncGenerator<ScannedCell> {
    const schema = this.#schemas.byName(name);
    if (schema === undefined) throw new NiobeError('NOT_FOUND', `no schema ${name} is registered`);
    for await (const page of this.#client.scan(schema)) {
      while (page.next()) {
        const { bytes, bodyAt, bodyBytes } = page;
        const key = schema.keyType === 'none' ? '' : page.key();
        yield { id: page.id, key, record: schema.decode(bytes, bodyAt, bodyBytes) };
      }
    }
  }

  async close(): Promise<void> {
    this.#catalogue.close();
    this.#table.close();
    await this.#nats.close();
  }
}
