import type { CompiledSchema, FieldDeclarations } from '@niobe/cells';
import type { PartitionStore } from '../partition-store.ts';
import type { DictionaryMemory, SchemaMemory } from './memory-report.ts';

/** Adds up the cells of one schema. */
export class SchemaTally {
  #schema: CompiledSchema;
  cells = 0;
  bytes = 0;
  #keyBytes = 0;
  #bodyBytes = 0;
  /** By index of the field. */
  #fieldBytes: Float64Array<ArrayBuffer>;

  constructor(schema: CompiledSchema) {
    this.#schema = schema;
    this.#fieldBytes = new Float64Array(schema.fields.length);
  }

  /** Goes on with a newer revision, whose fields begin with those of the one before. */
  renew(schema: CompiledSchema): void {
    if (schema === this.#schema) return;
    const before = this.#fieldBytes;
    this.#schema = schema;
    this.#fieldBytes = new Float64Array(schema.fields.length);
    this.#fieldBytes.set(before);
  }

  /** Counts the cell in a slot and returns its bytes. O(fields), allocates nothing. */
  add(store: PartitionStore, slot: number): number {
    const entryBytes = store.entryBytes(slot);
    const bodyBytes = store.bodyBytes(slot);
    this.cells += 1;
    this.bytes += entryBytes;
    this.#keyBytes += store.keyBytes(slot);
    this.#bodyBytes += bodyBytes;
    this.#schema.addFieldBytes(store.bytes, store.bodyStart(slot), bodyBytes, this.#fieldBytes);
    return entryBytes;
  }

  /** The keys of this schema in the index. */
  get keys(): number {
    return this.#schema.isKeyed ? this.cells : 0;
  }

  report(keyIndexBytes: number): SchemaMemory {
    const { id, name, revision, fields, declaration } = this.#schema;
    const ofFields = this.#fieldBytes.reduce((sum, bytes) => sum + bytes, 0);
    return {
      id,
      name,
      revision,
      cells: this.cells,
      bytes: this.bytes,
      headerBytes: this.bytes - this.#keyBytes - this.#bodyBytes,
      keyBytes: this.#keyBytes,
      bodyBytes: this.#bodyBytes,
      layoutBytes: this.#bodyBytes - ofFields,
      keyIndexBytes,
      fields: fields.map((field, index) => ({ name: field.name, bytes: this.#fieldBytes[index]! })),
      dictionaries: dictionariesOf(declaration.fields, ''),
    };
  }
}

/** Those of nested records too, by path. */
function dictionariesOf(fields: FieldDeclarations, path: string): DictionaryMemory[] {
  return Object.entries(fields).flatMap(([name, { type, values = [], fields: inner }]) => {
    if (inner !== undefined) return dictionariesOf(inner, `${path}${name}.`);
    if (type !== 'dict') return [];
    const bytes = values.reduce((sum, value) => sum + utf8.encode(value).length, 0);
    return [{ field: `${path}${name}`, values: values.length, bytes }];
  });
}

const utf8 = new TextEncoder();
