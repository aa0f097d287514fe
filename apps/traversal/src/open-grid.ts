import { SchemaTable } from '@niobe/cells';
import {
  checkFacts,
  FactsRow,
  GridClient,
  PartitionTable,
  SchemaCatalogue,
  type Bus,
  type SharedMaps,
} from '@niobe/grid';
import { NiobeError, type Clock, type Logger, type Meter, type Random } from '@niobe/kernel';
import { keepTrying } from '@niobe/service';

/** What the grid is reached by. */
export interface GridParts {
  readonly bus: Bus;
  readonly maps: SharedMaps;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly starting: (progress: string) => void;
  readonly stopping: AbortSignal;
}

/** This process's view of the grid. */
export interface OpenGrid {
  readonly schemas: SchemaTable;
  readonly catalogue: SchemaCatalogue;
  readonly table: PartitionTable;
  readonly client: GridClient;
  close(): void;
}

/**
 * Follows the partition table and the schemas, once a shard has recorded the facts of the grid; waits for that as long as it takes.
 * `INCOMPATIBLE` where the grid has another number of partitions.
 */
export async function openGrid(
  { name, partitions }: { readonly name: string; readonly partitions: number },
  parts: GridParts,
): Promise<OpenGrid> {
  const { maps, bus, clock, random, logger, meter } = parts;
  await requireFacts(partitions, parts);
  const schemas = new SchemaTable();
  const catalogue = await keepTrying(parts, 'the schemas', () => SchemaCatalogue.open({ maps, schemas, logger }));
  const table = await keepTrying(parts, 'the partition table', () => PartitionTable.open({ maps, partitions, logger }));
  await Promise.all([catalogue.caughtUp, table.caughtUp]);
  return {
    schemas,
    catalogue,
    table,
    client: new GridClient({ bus, table, clock, random, deployment: name, meter }),
    close: () => {
      catalogue.close();
      table.close();
    },
  };
}

async function requireFacts(partitions: number, parts: GridParts): Promise<void> {
  const row = await keepTrying(parts, 'the facts of the grid', () => FactsRow.open(parts.maps));
  const facts = await keepTrying(parts, 'the shards to record the facts of the grid', async () => {
    const found = await row.read();
    if (found === null) throw new NiobeError('NOT_READY', 'no shard has started yet');
    return found;
  });
  checkFacts(facts, partitions);
}
