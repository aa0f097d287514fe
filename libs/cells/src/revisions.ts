import { NiobeError } from '@niobe/kernel';
import { compareFields } from './field-changes.ts';
import { stepsOf } from './steps.ts';
import type { EarlierForm, FieldDeclaration, FieldDeclarations, SchemaDeclaration } from './types.ts';

/**
 * Revisions of a schema. A field may be added where it is optional or has a default, and an existing one may be widened; bodies of the old
 * revision then read as they are. Where the new fields stand among the old ones in the new declaration does not matter:
 * {@link joinRevisions} puts them last and notes what was widened, and that joined declaration is the one to register and to compile.
 */

/** Why two declarations do not fit, each reason with its path. */
export interface Incompatible {
  readonly reasons: readonly string[];
}

/**
 * Compares the registered declaration with another of the same name. `added`: something was added or widened, or the indexes differ. What
 * the other says of earlier forms does not count.
 */
export function compareRevisions(old: SchemaDeclaration, other: SchemaDeclaration): 'equal' | 'added' | Incompatible {
  const reasons: string[] = [];
  if (old.name !== other.name) reasons.push(`name: ${old.name} became ${other.name}`);
  if (old.key !== other.key) reasons.push(`key: ${old.key} became ${other.key}`);
  const isChanged = compareFields('fields', old.fields, other.fields, reasons);
  if (reasons.length > 0) return { reasons };
  return isChanged || !hasSameIndexes(old, other) ? 'added' : 'equal';
}

function hasSameIndexes({ indexes: old = {} }: SchemaDeclaration, { indexes: other = {} }: SchemaDeclaration): boolean {
  const names = Object.keys(old);
  if (names.length !== Object.keys(other).length) return false;
  return names.every(
    (name) => Object.hasOwn(other, name) && old[name]!.on === other[name]!.on && old[name]!.kind === other[name]!.kind,
  );
}

/** The declaration of the next revision: the old fields in their order, then the added ones. For a pair that compared as `added`. */
export function joinRevisions(old: SchemaDeclaration, other: SchemaDeclaration): SchemaDeclaration {
  const { indexes } = other;
  const fields = joinFields(old.fields, other.fields);
  return { name: old.name, key: old.key, fields, ...(indexes !== undefined && { indexes }) };
}

function joinFields(old: FieldDeclarations, other: FieldDeclarations): FieldDeclarations {
  const joined: Record<string, FieldDeclaration> = {};
  let steps = stepsOf(old).length;
  for (const [name, field] of Object.entries(old)) {
    joined[name] = joinField(field, other[name]!, steps);
    if (joined[name].was?.length !== field.was?.length) steps += 1;
  }
  for (const [name, field] of Object.entries(other))
    if (!Object.hasOwn(old, name)) joined[name] = withoutHistory(field);
  return joined;
}

/** @param steps of bodies before this change */
function joinField(old: FieldDeclaration, other: FieldDeclaration, steps: number): FieldDeclaration {
  const { was: _, ...plain } = other;
  const was = [...(old.was ?? []), ...(hasForm(other, old) ? [] : [formOf(old, steps)])];
  return {
    ...plain,
    ...(old.fields !== undefined && { fields: joinFields(old.fields, other.fields!) }),
    ...(old.type === 'dict' && { values: joinValues(old.values, other.values) }),
    ...(was.length > 0 && { was }),
  };
}

function hasForm(field: FieldDeclaration, { type, optional }: FieldDeclaration): boolean {
  return field.type === type && field.optional === optional;
}

function formOf({ type, optional }: FieldDeclaration, steps: number): EarlierForm {
  return { type, ...(optional && { optional }), steps };
}

/** Texts of a dict keep their numbers; new ones come behind. */
function joinValues(old: readonly string[] = [], other: readonly string[] = []): readonly string[] {
  const known = new Set(old);
  return [...old, ...new Set(other.filter((value) => !known.has(value)))];
}

function withoutHistory(declaration: FieldDeclaration): FieldDeclaration {
  const { was: _, ...field } = declaration;
  return field.fields === undefined ? field : { ...field, fields: joinFields({}, field.fields) };
}

/**
 * The declaration with further texts of a `dict`, found by a path as errors name it: `lines[3].colour`. Throws `BAD_REQUEST` where there is no
 * dict. Whether it holds them all is checked where the declaration is parsed.
 */
export function withTexts(declaration: SchemaDeclaration, path: string, texts: readonly string[]): SchemaDeclaration {
  const names = path.replaceAll(/\[\d*\]/g, '').split('.');
  return { ...declaration, fields: fieldsWithTexts(declaration.fields, names, texts, path) };
}

function fieldsWithTexts(
  fields: FieldDeclarations,
  [name = '', ...inner]: readonly string[],
  texts: readonly string[],
  path: string,
): FieldDeclarations {
  const field = Object.hasOwn(fields, name) ? fields[name]! : undefined;
  if (field?.type === 'dict' && inner.length === 0)
    return { ...fields, [name]: { ...field, values: joinValues(field.values, texts) } };
  if (field?.fields !== undefined && inner.length > 0)
    return { ...fields, [name]: { ...field, fields: fieldsWithTexts(field.fields, inner, texts, path) } };
  throw new NiobeError('BAD_REQUEST', `there is no dict at ${path.slice(0, 200)}`);
}
