import { assert } from '@niobe/kernel';
import type { EventFieldDeclaration, EventTypeDeclaration } from './event-declaration.ts';
import { compileFieldReader, violation, type EventValue, type FieldReader } from './field-reader.ts';

/** A field of a compiled event type: its `index` is its place among the values of an event. */
export interface EventField {
  readonly index: number;
  readonly name: string;
  readonly declaration: EventFieldDeclaration;
}

/** What to do with members that are not declared: refuse them at the edge, pass over them in a topic that others write. */
export type UnknownFields = 'refuse' | 'ignore';

/** A declared event type, ready to check data. */
export class EventType {
  readonly name: string;
  readonly topic: string;
  readonly fields: readonly EventField[];
  /** Index of the field that keys the record, or -1: the event's id. */
  readonly keyField: number;
  /** Index of the field that says whose event it is, or -1. */
  readonly userField: number;
  readonly #names: readonly string[];
  readonly #dataPaths: readonly string[];
  readonly #readers: readonly FieldReader[];
  readonly #optional: readonly boolean[];

  constructor(declaration: EventTypeDeclaration) {
    const entries = Object.entries(declaration.fields);
    this.name = declaration.type;
    this.topic = declaration.topic;
    this.fields = entries.map(([name, field], index) => ({ index, name, declaration: field }));
    this.#names = entries.map(([name]) => name);
    this.#dataPaths = this.#names.map((name) => `data.${name}`);
    this.#readers = entries.map(([, field]) => compileFieldReader(field));
    this.#optional = entries.map(([, field]) => field.optional === true);
    this.keyField = declaration.key === null ? -1 : this.#names.indexOf(declaration.key);
    this.userField = declaration.user === undefined ? -1 : this.#names.indexOf(declaration.user);
  }

  /** The field of this name, or undefined. */
  field(name: string): EventField | undefined {
    return this.fields.find((field) => field.name === name);
  }

  /**
   * Checks `data`, a parsed JSON value, and writes its typed values to `values` by field index; absent is null. Throws
   * `SCHEMA_VIOLATION` with the path below `root`, and then `values` holds anything. O(members); allocates nothing for valid data.
   */
  read(data: unknown, values: EventValue[], unknown: UnknownFields, root: '$' | 'data'): void {
    if (!isJsonObject(data)) throw violation(root, 'expected a JSON object');
    const paths = root === 'data' ? this.#dataPaths : this.#names;
    let declared = 0;
    for (let i = 0; i < paths.length; i++) {
      const value = data[this.#names[i]!];
      if (value !== undefined) declared += 1;
      values[i] = this.#readField(i, value, paths[i]!);
    }
    if (unknown === 'refuse') this.#refuseUnknown(data, declared, root);
  }

  #readField(index: number, value: unknown, path: string): EventValue {
    if (value !== undefined && value !== null) return this.#readers[index]!(value, path);
    if (!this.#optional[index]) throw violation(path, 'is missing');
    return null;
  }

  #refuseUnknown(data: Readonly<Record<string, unknown>>, declared: number, root: string): void {
    if (countMembers(data) === declared) return;
    const unknown = Object.keys(data).find((name) => !this.#names.includes(name)) ?? '';
    const path = root === '$' ? printable(unknown) : `${root}.${printable(unknown)}`;
    throw violation(path, `is not declared; ${this.name} has ${this.#names.join(', ')}`);
  }

  /** Key of the record of an event with these values; never empty. */
  keyOf(values: readonly EventValue[], id: string): string {
    assert(id.length > 0, 'an event has an id');
    if (this.keyField < 0) return id;
    const value = values[this.keyField];
    return value === null || value === undefined || value === '' ? id : String(value as string | number | bigint);
  }
}

/** Members of a parsed JSON object, without the array that `Object.keys` makes. */
function countMembers(data: object): number {
  let members = 0;
  for (const name in data) if (name !== undefined) members += 1;
  return members;
}

/** A name of outside in an error: bounded, without control characters. */
export function printable(name: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return name.slice(0, 64).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

/** True for `{...}`, false for arrays and scalars. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
