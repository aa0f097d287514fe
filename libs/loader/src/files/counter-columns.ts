import type { CompiledSchema } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';

/** A column of a file that a counter is read from. */
export interface CounterColumn {
  readonly column: number;
  /** Index of the counter in its schema. */
  readonly field: number;
}

/**
 * The columns that the counters of an edge type are read from: those of their names in the header. None says that each row counts 1,
 * which is so where the edge type has one counter that adds up whole numbers. `BAD_REQUEST` where neither is possible.
 */
export function counterColumns(schema: CompiledSchema, header: readonly string[]): CounterColumn[] {
  const columns = schema.fields.flatMap(({ name, index }) => {
    const column = header.indexOf(name);
    return column < 0 ? [] : [{ column, field: index }];
  });
  if (columns.length > 0 || countsRows(schema)) return columns;
  const names = schema.fields.map(({ name }) => name).join(', ');
  throw new NiobeError(
    'BAD_REQUEST',
    `the counters of ${schema.name} (${names}) are read from a csv file whose header names them; this file has no such column`,
  );
}

function countsRows({ fields }: CompiledSchema): boolean {
  const counter = fields[0]!.declaration;
  return fields.length === 1 && counter.type === 'u64' && counter.merge === 'add';
}
