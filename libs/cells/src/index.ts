export { type BodyBuilder } from './body-builder.ts';
export { type BodyOrder, type OrderedPath } from './body-order.ts';
export { cellIdOf, generationOfId, isIdOf, partitionOfId, slotOfId } from './cell-id.ts';
export { formatDecimal, parseDecimal } from './decimal.ts';
export { type CellPath } from './cell-path.ts';
export {
  CLAUSE_VALUE_BYTES_MAX,
  CLAUSES_MAX,
  readClauses,
  writeClauses,
  type Clause,
  type ClauseOperator,
} from './clause.ts';
export { parseDeclaration } from './declaration.ts';
export { type Field } from './field.ts';
export { type OrderKeys } from './order-keys.ts';
export { checkOperand, encodeScalar } from './operand.ts';
export { type EntryForm, type EntrySelection, type Predicate, type Selection } from './predicate.ts';
export { type ProjectedColumn } from './projected-column.ts';
export { type ProjectedPath, type Projection, type ProjectionBounds } from './projection.ts';
export { compareRevisions, joinRevisions, withTexts, type Incompatible } from './revisions.ts';
export { type CompiledSchema, compilePredicate, compileSchema } from './schema.ts';
export { SchemaTable } from './schema-table.ts';
export { resolveDeclaration } from './written-declaration.ts';
export {
  ARRAY_ITEMS_DEFAULT,
  CELL_BYTES_MAX,
  CELL_ID_LIMIT,
  DICT_BYTES_MAX,
  DICT_VALUES_MAX,
  ENUM_VALUES_MAX,
  INDEXES_MAX,
  JSON_NESTING_MAX,
  STEPS_MAX,
  KEY_BYTES_MAX,
  NESTING_MAX,
  REVISIONS_MAX,
  SCALE_MAX,
  TEXT_BYTES_DEFAULT,
  TIMESTAMP_MS_MAX,
  type CellRecord,
  type EarlierForm,
  type FieldDeclaration,
  type FieldDeclarations,
  type FieldType,
  type FieldValue,
  type GeoPoint,
  type IndexDeclaration,
  type JsonValue,
  type KeyType,
  type MergeOperator,
  type ScalarType,
  type ScalarValue,
  type SchemaDeclaration,
} from './types.ts';
export { ValueRanges } from './value-ranges.ts';
