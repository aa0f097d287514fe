export { type BodyBuilder } from './body-builder.ts';
export { cellIdOf, generationOfId, partitionOfId, slotOfId } from './cell-id.ts';
export { formatDecimal, parseDecimal } from './decimal.ts';
export { parseDeclaration } from './declaration.ts';
export { type Field } from './layout.ts';
export {
  CLAUSE_VALUE_BYTES_MAX,
  CLAUSES_MAX,
  encodeScalar,
  readClauses,
  writeClauses,
  type Clause,
  type ClauseOperator,
  type Predicate,
} from './predicate.ts';
export { compareRevisions, joinRevisions, type Incompatible } from './revisions.ts';
export { type CompiledSchema, compilePredicate, compileSchema } from './schema.ts';
export { SchemaTable } from './schema-table.ts';
export {
  ARRAY_ITEMS_DEFAULT,
  CELL_BYTES_MAX,
  CELL_ID_LIMIT,
  ENUM_VALUES_MAX,
  FIELDS_MAX,
  KEY_BYTES_MAX,
  REVISIONS_MAX,
  SCALE_MAX,
  TEXT_BYTES_DEFAULT,
  TIMESTAMP_MS_MAX,
  type CellRecord,
  type FieldDeclaration,
  type FieldValue,
  type KeyType,
  type MergeOperator,
  type ScalarType,
  type ScalarValue,
  type SchemaDeclaration,
} from './types.ts';
