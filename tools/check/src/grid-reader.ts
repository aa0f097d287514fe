import type { CellRecord } from '@niobe/cells';
import { joinGrid, type JoinedGrid } from '@niobe/grid';
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
  readonly #grid: JoinedGrid;

  private constructor(nats: NatsGrid, grid: JoinedGrid) {
    this.#nats = nats;
    this.#grid = grid;
  }

  /** Joins the system whose NATS is at `address`. */
  static async open(address: string, deployment: string): Promise<GridReader> {
    const nats = await connectAsTool(address, deployment);
    const parts = { clock: systemClock, random: systemRandom(), logger: silentLogger, meter: silentMeter };
    const { bus, maps } = nats;
    return new GridReader(nats, await joinGrid({ name: deployment, partitions: PARTITIONS }, { bus, maps, ...parts }));
  }

  /** Every cell of a schema; `NOT_FOUND` where no such schema is registered. */
  async *cells(name: string): AsyncGenerator<ScannedCell> {
    const schema = this.#grid.schemas.byName(name);
    if (schema === undefined) throw new NiobeError('NOT_FOUND', `no schema ${name} is registered`);
    for await (const page of this.#grid.client.scan(schema)) {
      while (page.next()) {
        const { bytes, bodyAt, bodyBytes } = page;
        const key = schema.keyType === 'none' ? '' : page.key();
        yield { id: page.id, key, record: schema.decode(bytes, bodyAt, bodyBytes) };
      }
    }
  }

  async close(): Promise<void> {
    this.#grid.close();
    await this.#nats.close();
  }
}
