import { compileSchema, type CompiledSchema } from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import type { SegmentEntry } from '@niobe/store';

/** Keys and records of cells, in values that JSON knows, by the definitions a segment holds. */
export class CellText {
  readonly #schemas = new Map<number, CompiledSchema>();

  /** Takes the definitions among these entries. */
  learn(bytes: Uint8Array, entries: readonly SegmentEntry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'schema') continue;
      const { id, revision, declaration } = definitionOf(bytes, entry);
      this.#schemas.set(id, compileSchema(id, revision, declaration));
    }
  }

  /** The name of a schema, or its number where its definition is not here. */
  nameOf(schemaId: number): string {
    return this.#schemas.get(schemaId)?.name ?? `#${schemaId}`;
  }

  /** Key and record of a cell, the definition of a schema, null for a tombstone. */
  contentOf(bytes: Uint8Array, entry: SegmentEntry): Readonly<Record<string, unknown>> | null {
    if (entry.kind === 'tombstone') return null;
    if (entry.kind === 'schema') return { definition: definitionOf(bytes, entry) };
    const schema = this.#schemas.get(entry.schemaId);
    if (schema === undefined) return { keyHex: hexOf(bytes, entry.keyAt, entry.keyBytes), bodyBytes: entry.bodyBytes };
    const key = schema.isKeyed ? { key: schema.decodeKey(bytes, entry.keyAt, entry.keyBytes) } : {};
    return { ...key, ...recordOf(schema, bytes, entry) };
  }
}

/** A body that a newer revision wrote than the one in this segment cannot be decoded; it is told by its length. */
function recordOf(schema: CompiledSchema, bytes: Uint8Array, { bodyAt, bodyBytes }: SegmentEntry): object {
  try {
    schema.check(bytes, bodyAt, bodyBytes);
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    return { bodyBytes, unreadable: error.message };
  }
  return { record: plain(schema.decode(bytes, bodyAt, bodyBytes)) };
}

interface Definition {
  readonly id: number;
  readonly revision: number;
  readonly declaration: unknown;
}

function definitionOf(bytes: Uint8Array, { bodyAt, bodyBytes }: SegmentEntry): Definition {
  return JSON.parse(new TextDecoder().decode(bytes.subarray(bodyAt, bodyAt + bodyBytes))) as Definition;
}

function hexOf(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('hex');
}

/** Bytes as hex, bigints as text, what JSON does not know of numbers by its name. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
