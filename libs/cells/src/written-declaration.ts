import { NiobeError } from '@niobe/kernel';
import { parseDeclaration } from './declaration.ts';
import type { SchemaDeclaration } from './types.ts';
import { isObject, type Unread } from './unread.ts';

/**
 * Declarations as people write them. A field may be `{"schema": "address"}`: a record with the fields of another schema. Such a field is
 * replaced by what it stands for, so that what is registered, and what travels in the log, is readable alone.
 */

/** Fields of a schema, those of records in it counted: schemas that name each other could make of few lines very many. */
const INLINED_FIELDS_MAX = 4096;

/**
 * The declaration that `written` stands for; `others` holds what each schema name stands for, itself as written. Throws `BAD_DECLARATION`
 * whose `problems` list everything that is wrong.
 */
export function resolveDeclaration(written: unknown, others: ReadonlyMap<string, unknown>): SchemaDeclaration {
  if (!isObject(written)) return parseDeclaration(written);
  const resolver = new Resolver(others);
  const fields = resolver.fields(written['fields'], 'fields', [String(written['name'])]);
  const { problems } = resolver;
  if (problems.length > 0)
    throw new NiobeError('BAD_DECLARATION', `schema ${String(written['name']).slice(0, 200)}: ${problems.join('; ')}`, {
      problems,
    });
  return parseDeclaration({ ...written, fields });
}

class Resolver {
  readonly problems: string[] = [];
  readonly #others: ReadonlyMap<string, unknown>;
  #count = 0;

  constructor(others: ReadonlyMap<string, unknown>) {
    this.#others = others;
  }

  /** @param around names of the schemas that these fields are in: none of them can be in itself */
  fields(fields: unknown, path: string, around: readonly string[]): unknown {
    if (!isObject(fields)) return fields;
    this.#count += Object.keys(fields).length;
    if (this.#count > INLINED_FIELDS_MAX) return this.#refuseSize(path);
    const resolved = Object.entries(fields).map(([name, field]) => [
      name,
      isObject(field) ? this.#field(field, `${path}.${name.slice(0, 64)}`, around) : field,
    ]);
    return Object.fromEntries(resolved) as unknown;
  }

  #refuseSize(path: string): unknown {
    const problem = `${path}: more than ${INLINED_FIELDS_MAX} fields, those of records counted`;
    if (!this.problems.some((known) => known.endsWith(problem.slice(path.length)))) this.problems.push(problem);
    return {};
  }

  #field(field: Unread, path: string, around: readonly string[]): unknown {
    if (field['was'] !== undefined) this.problems.push(`${path}.was: is written by Niobe alone; leave it out`);
    if (field['schema'] !== undefined) return this.#reference(field, path, around);
    if (field['fields'] === undefined) return field;
    return { ...field, fields: this.fields(field['fields'], `${path}.fields`, around) };
  }

  #reference(field: Unread, path: string, around: readonly string[]): unknown {
    const { schema, ...rest } = field;
    const other = this.#others.get(schema as string);
    if (rest['type'] !== undefined || rest['fields'] !== undefined)
      this.problems.push(`${path}.schema: stands in place of type and fields; give one of them`);
    if (around.includes(schema as string)) this.problems.push(`${path}.schema: ${String(schema)} cannot hold itself`);
    else if (!isObject(other)) this.problems.push(`${path}.schema: no such cell schema; ${this.#known()}`);
    else {
      const inner = this.fields(other['fields'], `${path}.fields`, [...around, schema as string]);
      return { type: 'record', fields: inner, ...rest };
    }
    return rest;
  }

  #known(): string {
    return this.#others.size === 0 ? 'there are none' : `there are ${[...this.#others.keys()].slice(0, 32).join(', ')}`;
  }
}
