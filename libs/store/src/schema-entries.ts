import { compileSchema, type CompiledSchema } from '@niobe/cells';
import type { NiobeError } from '@niobe/kernel';

/**
 * The schema definitions a partition's log holds. Each is written before the first cell that needs it and kept live by the cleaner, so
 * that a log can be read on its own.
 */
export class SchemaEntries {
  readonly #entries = new Map<number, SchemaEntry>();

  get(schemaId: number): SchemaEntry | undefined {
    return this.#entries.get(schemaId);
  }

  set(schemaId: number, entry: SchemaEntry | undefined): void {
    if (entry === undefined) this.#entries.delete(schemaId);
    else this.#entries.set(schemaId, entry);
  }

  values(): IterableIterator<SchemaEntry> {
    return this.#entries.values();
  }
}

/** Where the newest definition of a schema lies. */
export interface SchemaEntry {
  readonly address: number;
  readonly revision: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The body of a schema entry. */
export function encodeDefinition(schema: CompiledSchema): Uint8Array {
  return encoder.encode(JSON.stringify({ id: schema.id, revision: schema.revision, declaration: schema.declaration }));
}

/** Reads the body of a schema entry; throws what `refuse` makes of the reason where it is none. */
export function decodeDefinition(body: Uint8Array, refuse: (cause: unknown) => NiobeError): CompiledSchema {
  try {
    const definition = JSON.parse(decoder.decode(body)) as { id: number; revision: number; declaration: unknown };
    return compileSchema(definition.id, definition.revision, definition.declaration);
  } catch (error) {
    throw refuse(error);
  }
}
