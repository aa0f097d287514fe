import { createHash } from 'node:crypto';
import type { MappingDeclaration } from './mapping-declaration.ts';

const REVISION_DIGITS = 16;

/**
 * The identity of what a mapping makes of events: a SHA-256 prefix over its declaration with the keys of every object in order. Spelling
 * and order of the JSON file do not count, the order of lists does.
 */
export function revisionOf(mapping: MappingDeclaration): string {
  const canonical = JSON.stringify(mapping, (_key, value: unknown) => sorted(value));
  return createHash('sha256').update(canonical).digest('hex').slice(0, REVISION_DIGITS);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
