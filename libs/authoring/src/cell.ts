import type { FieldDeclaration, FieldDeclarations, IndexDeclaration, SchemaDeclaration } from '@niobe/cells';
import type { CellFieldDefinition, CellFields, SchemaField } from './cell-field.ts';
import type { NoOtherKeys } from './field.ts';
import type { NewRecord, ReadRecord } from './record.ts';

/** What a folder may declare as a key. */
type DeclaredKey = 'text' | 'integer' | 'none';

/** Paths to the fields of records: `price`, `address.city`. */
type PathOf<Fields> = {
  [N in keyof Fields & string]: N | (Fields[N] extends RecordOrSchema<infer Inner> ? `${N}.${PathOf<Inner>}` : never);
}[keyof Fields & string];

type RecordOrSchema<Fields> = { readonly fields: Fields } | { readonly schema: { readonly fields: Fields } };

/** A cell schema: the JSON of its file, with its types. */
export interface CellDefinition<
  Name extends string = string,
  Key extends DeclaredKey = DeclaredKey,
  Fields extends CellFields = CellFields,
> {
  readonly name: Name;
  readonly key: Key;
  readonly fields: Fields;
  readonly indexes?: Readonly<Record<string, IndexDeclaration>>;
}

/** Declares a cell schema. */
export function defineCell<
  const Name extends string,
  const Key extends DeclaredKey,
  const Fields extends CellFields,
>(definition: {
  readonly name: Name;
  readonly key: Key;
  readonly fields: Fields & NoOtherKeys<Fields, CellFieldDefinition>;
  readonly indexes?: Readonly<Record<string, { readonly on: PathOf<Fields>; readonly kind: IndexDeclaration['kind'] }>>;
}): CellDefinition<Name, Key, Fields> {
  return definition;
}

/** The declaration that a definition stands for: with the fields of the schemas that it refers to. */
export function declarationOf({ name, key, fields, indexes }: CellDefinition): SchemaDeclaration {
  return { name, key, fields: declaredFields(fields), ...(indexes !== undefined && { indexes }) };
}

function declaredFields(fields: CellFields): FieldDeclarations {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, declaredField(field)]));
}

function declaredField(field: CellFieldDefinition): FieldDeclaration {
  if (isReference(field)) {
    const { schema, type: _, ...rest } = field;
    return { ...rest, type: 'record', fields: declaredFields(schema.fields) };
  }
  return field.type === 'record' ? { ...field, fields: declaredFields(field.fields) } : field;
}

/** True for a field that stands for the fields of another schema. */
export function isReference(field: CellFieldDefinition): field is SchemaField {
  return 'schema' in field;
}

/** A cell's record as it is read. */
export type RecordOf<Cell extends CellDefinition> = ReadRecord<Cell['fields']>;

/** A cell's record as it may be written: optional fields may be left out. */
export type NewRecordOf<Cell extends CellDefinition> = NewRecord<Cell['fields']>;

/** A cell's key in memory. */
export type KeyOf<Cell extends CellDefinition> = { text: string; integer: number; none: never }[Cell['key']];
