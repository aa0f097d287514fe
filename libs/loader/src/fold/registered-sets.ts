import type { CompiledSchema } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import type { Assignment } from '../mapping/mapping.ts';

/**
 * What a rule sets, with the places that the fields have in the schema as it is registered: there a field that was added stands behind
 * the others, wherever it is declared. Throws `INCOMPATIBLE` where the deltas of the rule would empty a field (see `compile-mappings.ts`,
 * 2, which knows the order of declaration only).
 *
 * @param names of the fields in the order of declaration, to which `sets` refer
 */
export function registeredSets(
  schema: CompiledSchema,
  names: readonly string[],
  sets: readonly Assignment[],
): Assignment[] {
  const placed = sets.map(({ field, value }) => ({ field: schema.field(names[field]!).index, value }));
  const emptied = schema.fields
    .slice(0, toldFields(schema, Math.max(0, ...placed.map(({ field }) => field + 1))))
    .filter(({ index, declaration }) => isReplaced(declaration.merge) && placed.every(({ field }) => field !== index));
  if (emptied.length === 0) return placed;
  const fields = emptied.map(({ name }) => `"${name}"`).join(', ');
  throw new NiobeError(
    'INCOMPATIBLE',
    `a mapping would empty ${fields} of "${schema.name}", which in its registered schema stand before a field that is set; set them too`,
  );
}

function isReplaced(merge: string | undefined): boolean {
  return (merge ?? 'replace') === 'replace';
}

/** Fields of a delta that tells `needed` of them: all, once a field was widened, because a widened one lies behind the others. */
export function toldFields(schema: CompiledSchema, needed: number): number {
  const isWidened = schema.fields.some(({ declaration }) => declaration.was !== undefined);
  return isWidened && needed > 0 ? schema.fields.length : needed;
}
