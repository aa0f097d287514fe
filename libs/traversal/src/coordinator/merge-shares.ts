import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import type { RowOnWire } from '../frames/collect.ts';
import { Row, rowOrder } from '../rows/row.ts';
import type { LevelsAnswer, Search, SearchAnswer, SearchRow, VerticesAnswer } from '../search.ts';
import type { Share } from './search-run.ts';

/** Makes one answer of what the shards have. O(rows log rows). */
export function mergeShares(search: Search, shares: readonly Share[], schemas: SchemaTable): SearchAnswer {
  return search.returns === 'levels' ? mergeLevels(shares) : mergeRows(search, shares, schemas);
}

/** All shards number levels alike; one that is empty at all of them is the last. */
function mergeLevels(shares: readonly Share[]): LevelsAnswer {
  const levels: number[] = [];
  for (const share of shares)
    for (const [level, vertices] of share.levels.entries()) levels[level] = (levels[level] ?? 0) + vertices;
  while (levels.length > 1 && levels.at(-1) === 0) levels.pop();
  return { levels, reached: levels.reduce((sum, vertices) => sum + vertices, 0), depth: levels.length - 1 };
}

function mergeRows(search: Search, shares: readonly Share[], schemas: SchemaTable): VerticesAnswer {
  const rows = shares.flatMap((share) => share.rows.map((row) => comparable(row, schemaOf(schemas, row.schemaId))));
  rows.sort(rowOrder(search.orderBy));
  const vertices = rows.slice(0, search.limit).map((row) => answered(row, search, schemas));
  return { vertices, total: shares.reduce((sum, share) => sum + share.total, 0) };
}

function comparable({ schemaId, level, count, key }: RowOnWire, schema: CompiledSchema): Row {
  schema.checkKey(key, 0, key.length);
  const row = new Row();
  row.level = level;
  row.count = count;
  row.setKey(schemaId, schema.keyType, key, 0, key.length);
  return row;
}

function answered({ schemaId, level, count, bytes }: Row, search: Search, schemas: SchemaTable): SearchRow {
  const schema = schemaOf(schemas, schemaId);
  const row = { schema: schema.name, key: schema.decodeKey(bytes, 0, bytes.length), level };
  return search.isCounting ? { ...row, count } : row;
}

function schemaOf(schemas: SchemaTable, id: number): CompiledSchema {
  const schema = schemas.get(id);
  if (schema === undefined) throw new NiobeError('NOT_READY', `schema ${id} is not known here yet`);
  return schema;
}
