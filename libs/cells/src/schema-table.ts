import { NiobeError } from '@niobe/kernel';
import { compareRevisions } from './revisions.ts';
import type { CompiledSchema } from './schema.ts';
import { continues } from './steps.ts';

/**
 * The schemas a process knows, by id and by name, each in its newest revision. The newest reads the bodies of all before it, so older
 * ones need not be kept.
 */
export class SchemaTable {
  readonly #byId: (CompiledSchema | undefined)[] = [];
  readonly #byName = new Map<string, CompiledSchema>();

  /** The schema of this id, or undefined. O(1). */
  get(id: number): CompiledSchema | undefined {
    return this.#byId[id];
  }

  byName(name: string): CompiledSchema | undefined {
    return this.#byName.get(name);
  }

  /**
   * Makes a schema known. An older revision than the known one changes nothing. Throws `INCOMPATIBLE` where the id or the name
   * belongs to another schema, or where a newer revision cannot read what an older one wrote.
   */
  add(schema: CompiledSchema): void {
    const known = this.#byId[schema.id] ?? this.#byName.get(schema.name);
    if (known !== undefined) refuseChange(known, schema);
    if (known !== undefined && known.revision >= schema.revision) return;
    this.#byId[schema.id] = schema;
    this.#byName.set(schema.name, schema);
  }

  /** All schemas, by id. */
  list(): CompiledSchema[] {
    return this.#byId.filter((schema) => schema !== undefined);
  }
}

function refuseChange(known: CompiledSchema, schema: CompiledSchema): void {
  const reasons = known.id === schema.id ? differences(known, schema) : [`id: ${known.id} became ${schema.id}`];
  if (reasons.length === 0) return;
  throw new NiobeError('INCOMPATIBLE', `schema ${known.name} (id ${known.id}): ${reasons.join('; ')}`, { reasons });
}

function differences(known: CompiledSchema, schema: CompiledSchema): readonly string[] {
  const [older, newer] = known.revision <= schema.revision ? [known, schema] : [schema, known];
  const result = compareRevisions(older.declaration, newer.declaration);
  if (typeof result === 'object') return result.reasons;
  if (!continues(newer.declaration.fields, older.declaration.fields)) return ['fields: their order or history changed'];
  if (result === 'added' && older.revision === newer.revision) return ['revision: it was changed without a new one'];
  return [];
}
