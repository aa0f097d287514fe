import type { Clause, ClauseOperator, CompiledSchema, SchemaTable } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import type { PartitionStore } from '@niobe/store';

/**
 * `GET /v1/explain/:schema?where=price:lt:10&where=title:prefix:Ab`: how this shard would scan its partitions for the cells that meet all
 * conditions, without doing it. A condition is `path:operator:value`; the value is JSON, or else text as it stands.
 */

/** What the route needs. */
export interface ExplainParts {
  readonly schemas: SchemaTable;
  /** The partitions that are served here. */
  readonly stores: () => Iterable<PartitionStore>;
}

interface ExplainRequest {
  readonly Params: { schema: string };
  readonly Querystring: { where?: string | readonly string[] };
}

/** How one partition would be scanned. */
interface ExplainedPartition {
  readonly partition: number;
  /** Name of the index, null for none. */
  readonly index: string | null;
  /** Cells that would be looked at. */
  readonly cells: number;
  readonly text: string;
}

/** The route. */
export function explainRoutes({ schemas, stores }: ExplainParts): Routes {
  return (app) => {
    app.get<ExplainRequest>('/v1/explain/:schema', ({ params, query }) => {
      const schema = schemas.byName(params.schema);
      if (schema === undefined) throw new NiobeError('NOT_FOUND', 'schema: there is no schema of this name');
      const clauses = [query.where ?? []].flat().map((condition) => readCondition(schema, condition));
      schema.compilePredicate(clauses);
      const partitions = [...stores()].map((store) => explain(store, schema, clauses));
      return { schema: schema.name, cells: partitions.reduce((sum, { cells }) => sum + cells, 0), partitions };
    });
  };
}

function explain(store: PartitionStore, schema: CompiledSchema, clauses: readonly Clause[]): ExplainedPartition {
  return { partition: store.partition, ...store.indexes.plan(schema.id, clauses).explain };
}

const OPERATORS: readonly string[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'null', 'notNull', 'prefix', 'has'];

function readCondition(schema: CompiledSchema, condition: string): Clause {
  const [path = '', op = '', ...rest] = condition.split(':');
  if (!OPERATORS.includes(op)) {
    throw new NiobeError('BAD_REQUEST', `where: path:operator:value with one of ${OPERATORS.join(', ')}`);
  }
  return schema.path(path).clause(op as ClauseOperator, readValue(rest.join(':')));
}

function readValue(text: string): string | number | boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
