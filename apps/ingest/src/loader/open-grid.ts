import { GridCells } from '@niobe/aggregates';
import { SchemaTable, type CompiledSchema, type SchemaDeclaration } from '@niobe/cells';
import type { Deployment } from '@niobe/events';
import {
  checkFacts,
  CURSOR_SCHEMA_ID,
  FactsRow,
  GridClient,
  PartitionTable,
  SchemaCatalogue,
  SEEN_SCHEMA_ID,
} from '@niobe/grid';
import { assert, NiobeError } from '@niobe/kernel';
import { keepTrying } from '@niobe/service';
import type { LoaderParts } from './start-loader.ts';

/** The loader's view of the grid. */
export interface OpenGrid {
  readonly cells: GridCells;
  readonly client: GridClient;
  readonly seenSchema: CompiledSchema;
  readonly schemaOf: (name: string) => CompiledSchema;
  close(): void;
}

/** Follows the partition table and the schemas, once shards have recorded the facts of the grid, and registers what is needed. */
export async function openGrid(
  deployment: Deployment,
  needed: readonly SchemaDeclaration[],
  parts: LoaderParts,
): Promise<OpenGrid> {
  const { maps, bus, clock, random, logger, meter } = parts;
  const { name, partitions } = deployment;
  await requireFacts(partitions, parts);
  const schemas = new SchemaTable();
  const catalogue = await keepTrying(parts, 'the schemas', () => SchemaCatalogue.open({ maps, schemas, logger }));
  const table = await keepTrying(parts, 'the partition table', () => PartitionTable.open({ maps, partitions, logger }));
  await Promise.all([catalogue.caughtUp, table.caughtUp]);
  await keepTrying(parts, 'the schemas', () => catalogue.ensure(needed));
  const client = new GridClient({ bus, table, clock, random, deployment: name, meter });
  return {
    cells: new GridCells(client, partitions, schemas.get(CURSOR_SCHEMA_ID)!),
    client,
    seenSchema: schemas.get(SEEN_SCHEMA_ID)!,
    schemaOf: (schema) => {
      const found = schemas.byName(schema);
      assert(found !== undefined, `schema ${schema} was registered at the start`);
      return found;
    },
    close: () => {
      catalogue.close();
      table.close();
    },
  };
}

async function requireFacts(partitions: number, parts: LoaderParts): Promise<void> {
  const row = await keepTrying(parts, 'the facts of the grid', () => FactsRow.open(parts.maps));
  const facts = await keepTrying(parts, 'the shards to record the facts of the grid', async () => {
    const found = await row.read();
    if (found === null) throw new NiobeError('NOT_READY', 'no shard has started yet');
    return found;
  });
  checkFacts(facts, partitions);
}
