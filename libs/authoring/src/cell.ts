import type { CellFieldDefinition, NoOtherKeys } from './field.ts';
import type { NewRecord, ReadRecord } from './record.ts';

/** What a folder may declare as a key. */
type DeclaredKey = 'text' | 'integer' | 'none';

/** Declared fields of cells, by name. */
export type CellFields = Readonly<Record<string, CellFieldDefinition>>;

/** A cell schema: the JSON of its file, with its types. */
export interface CellDefinition<
  Name extends string = string,
  Key extends DeclaredKey = DeclaredKey,
  Fields extends CellFields = CellFields,
> {
  readonly name: Name;
  readonly key: Key;
  readonly fields: Fields;
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
}): CellDefinition<Name, Key, Fields> {
  return definition;
}

/** A cell's record as it is read. */
export type RecordOf<Cell extends CellDefinition> = ReadRecord<Cell['fields']>;

/** A cell's record as it may be written: optional fields may be left out. */
export type NewRecordOf<Cell extends CellDefinition> = NewRecord<Cell['fields']>;

/** A cell's key in memory. */
export type KeyOf<Cell extends CellDefinition> = { text: string; integer: number; none: never }[Cell['key']];
