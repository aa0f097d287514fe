import type { FieldDeclaration, SchemaDeclaration } from './types.ts';
import { ARRAY_ITEMS_DEFAULT, TEXT_BYTES_DEFAULT } from './types.ts';

/**
 * Revisions of a schema. Only added optional fields are compatible: bodies of the old revision then read as they are, with null for
 * what was added. Where the new fields stand among the old ones in the new declaration does not matter; {@link joinRevisions} puts
 * them last, and that joined declaration is the one to register and to compile.
 */

/** Why two declarations do not fit, each reason with its path. */
export interface Incompatible {
  readonly reasons: readonly string[];
}

/** Compares the registered declaration with another of the same name. */
export function compareRevisions(old: SchemaDeclaration, other: SchemaDeclaration): 'equal' | 'added' | Incompatible {
  const reasons: string[] = [];
  if (old.name !== other.name) reasons.push(`name: ${old.name} became ${other.name}`);
  if (old.key !== other.key) reasons.push(`key: ${old.key} became ${other.key}`);
  for (const [name, field] of Object.entries(old.fields)) {
    if (!Object.hasOwn(other.fields, name)) reasons.push(`fields.${name}: was removed`);
    else compareFields(`fields.${name}`, field, other.fields[name]!, reasons);
  }
  const added = Object.keys(other.fields).filter((name) => !Object.hasOwn(old.fields, name));
  for (const name of added) {
    if (other.fields[name]!.optional !== true) reasons.push(`fields.${name}: was added and is not optional`);
  }
  if (reasons.length > 0) return { reasons };
  return added.length === 0 ? 'equal' : 'added';
}

function compareFields(path: string, old: FieldDeclaration, other: FieldDeclaration, reasons: string[]): void {
  const before = facts(old);
  const after = facts(other);
  for (const [fact, value] of Object.entries(before)) {
    if (value !== after[fact]) reasons.push(`${path}.${fact}: ${value} became ${after[fact]}`);
  }
}

/** What a field says, with its defaults, as text. */
function facts(field: FieldDeclaration): Record<string, string> {
  return {
    type: field.type,
    optional: String(field.optional === true),
    array: String(field.array === true),
    scale: String(field.scale ?? 0),
    values: JSON.stringify(field.values ?? []),
    maxBytes: String(field.maxBytes ?? TEXT_BYTES_DEFAULT),
    maxItems: String(field.maxItems ?? ARRAY_ITEMS_DEFAULT),
    merge: field.merge ?? 'replace',
  };
}

/** The declaration of the next revision: the old fields in their order, then the added ones. For a pair that compared as `added`. */
export function joinRevisions(old: SchemaDeclaration, other: SchemaDeclaration): SchemaDeclaration {
  return { name: old.name, key: old.key, fields: { ...old.fields, ...other.fields } };
}
