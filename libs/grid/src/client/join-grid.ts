import { SchemaTable, type CompiledSchema } from '@niobe/cells';
import { assert, NiobeError, type Clock, type Logger, type Meter, type Random } from '@niobe/kernel';
import type { Bus } from '../bus.ts';
import { checkFacts, FactsRow } from '../facts.ts';
import { PartitionTable } from '../partition-table.ts';
import { SchemaCatalogue } from '../schema-catalogue.ts';
import type { SharedMaps } from '../shared-map.ts';
import { GridClient } from './grid-client.ts';

/** How a process that owns no partition comes to see the grid: analytics, the loader, traversal and tools. */

/** What the grid is reached by. */
export interface JoinParts {
  readonly bus: Bus;
  readonly maps: SharedMaps;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Whom to join: the deployment's name and its number of partitions. */
export interface JoinedDeployment {
  readonly name: string;
  readonly partitions: number;
}

/** Makes an attempt, again while what it needs is away if that is wanted; `what` says for whom one waits. */
export type Attempts = <T>(what: string, attempt: () => Promise<T>) => Promise<T>;

const once: Attempts = (_what, attempt) => attempt();

/** The grid as one process sees it. */
export class JoinedGrid {
  readonly schemas: SchemaTable;
  readonly catalogue: SchemaCatalogue;
  readonly table: PartitionTable;
  readonly client: GridClient;

  constructor(schemas: SchemaTable, catalogue: SchemaCatalogue, table: PartitionTable, client: GridClient) {
    this.schemas = schemas;
    this.catalogue = catalogue;
    this.table = table;
    this.client = client;
  }

  /** A schema that is registered. */
  readonly schemaOf = (name: string): CompiledSchema => {
    const schema = this.schemas.byName(name);
    assert(schema !== undefined, `schema ${name} was registered before`);
    return schema;
  };

  /** Follows the grid no longer. Bus and maps stay the caller's. */
  close(): void {
    this.catalogue.close();
    this.table.close();
  }
}

/**
 * Follows the schemas and the partition table, once a shard has recorded the facts of the grid. `NOT_READY` until then, `INCOMPATIBLE`
 * where the grid has another number of partitions; what is away as `UNAVAILABLE`.
 */
export async function joinGrid(
  deployment: JoinedDeployment,
  parts: JoinParts,
  attempts: Attempts = once,
): Promise<JoinedGrid> {
  const { maps, bus, clock, random, logger, meter } = parts;
  const { name, partitions } = deployment;
  await requireFacts(deployment, maps, attempts);
  const schemas = new SchemaTable();
  const catalogue = await attempts('the schemas', () => SchemaCatalogue.open({ maps, schemas, logger }));
  const table = await attempts('the partition table', () => PartitionTable.open({ maps, partitions, logger }));
  await Promise.all([catalogue.caughtUp, table.caughtUp]);
  const client = new GridClient({ bus, table, clock, random, deployment: name, meter });
  return new JoinedGrid(schemas, catalogue, table, client);
}

async function requireFacts(deployment: JoinedDeployment, maps: SharedMaps, attempts: Attempts): Promise<void> {
  const row = await attempts('the facts of the grid', () => FactsRow.open(maps));
  const facts = await attempts('the shards to record the facts of the grid', async () => {
    const found = await row.read();
    if (found !== null) return found;
    throw new NiobeError('NOT_READY', `no shard of the deployment "${deployment.name}" has started here yet`);
  });
  checkFacts(facts, deployment.partitions);
}
