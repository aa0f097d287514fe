import type { CompiledSchema, Predicate } from '@niobe/cells';
import { copyRange, NiobeError, type ByteWriter } from '@niobe/kernel';
import { bodyBytesAt, bodyStartAt, expiresAt, keyBytesAt } from './entry.ts';
import type { Parts } from './parts.ts';

/** Finds cells by key and walks over them. An expired cell is not found, whether or not the cleaner has been there. */
export class CellReader {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The schema of this id; `NOT_READY` where it is not known here (yet), `BAD_REQUEST` where its cells have no key. */
  keyedSchema(schemaId: number): CompiledSchema {
    const schema = this.schema(schemaId);
    if (!schema.isKeyed) throw new NiobeError('BAD_REQUEST', `cells of ${schema.name} have no key`);
    return schema;
  }

  /** The schema of this id; `NOT_READY` where it is not known here (yet). */
  schema(schemaId: number): CompiledSchema {
    const schema = this.#parts.schemas.get(schemaId);
    if (schema === undefined) throw new NiobeError('NOT_READY', `schema ${schemaId} is not known here yet`);
    return schema;
  }

  /** The slot of the key's cell, or -1. */
  find(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const schema = this.keyedSchema(schemaId);
    const slot = this.#parts.index.find(schema.hashKey(bytes, keyAt, keyBytes), schemaId, bytes, keyAt, keyBytes);
    return slot >= 0 && this.isExpired(this.#parts.slots.address(slot)) ? -1 : slot;
  }

  /** Appends the body of the key's cell to `out`; false where there is none. */
  get(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number, out: ByteWriter): boolean {
    const slot = this.find(schemaId, bytes, keyAt, keyBytes);
    if (slot < 0) return false;
    const { arena, slots } = this.#parts;
    const address = slots.address(slot);
    const start = bodyStartAt(arena.words, address);
    const length = bodyBytesAt(arena.words, address);
    const at = out.reserve(length);
    copyRange(arena.bytes, start, start + length, out.buffer, at);
    return true;
  }

  isExpired(address: number): boolean {
    const expiresS = expiresAt(this.#parts.arena.words, address);
    return expiresS !== 0 && expiresS * 1000 <= this.#parts.clock.nowMs();
  }

  /** See `PartitionStore.scan`. */
  scan(
    schemaId: number,
    predicate: Predicate | null,
    cursor: number,
    limitBytes: number,
    budgetMs: number,
    visit: (slot: number) => void,
  ): number {
    if (!Number.isInteger(cursor) || cursor < 0) throw new NiobeError('BAD_REQUEST', 'a cursor that no scan gave');
    const { clock, slots } = this.#parts;
    const endMs = clock.monotonicMs() + budgetMs;
    let seenBytes = 0;
    for (let slot = cursor; slot < slots.count; slot++) {
      if (slots.schemaId(slot) === schemaId) seenBytes += this.#visitIf(slot, predicate, visit);
      if (seenBytes >= limitBytes) return slot + 1;
      if ((slot & SLOTS_PER_LOOK) === SLOTS_PER_LOOK && clock.monotonicMs() >= endMs) return slot + 1;
    }
    return SCAN_END;
  }

  /** Returns the bytes of the cell where it was visited, else 0. */
  #visitIf(slot: number, predicate: Predicate | null, visit: (slot: number) => void): number {
    const { arena, slots } = this.#parts;
    const address = slots.address(slot);
    if (this.isExpired(address)) return 0;
    const bodyBytes = bodyBytesAt(arena.words, address);
    if (predicate !== null && !predicate(arena.bytes, bodyStartAt(arena.words, address), bodyBytes)) return 0;
    visit(slot);
    return keyBytesAt(arena.words, address) + bodyBytes;
  }
}

/** The cursor of a scan that has been through. */
export const SCAN_END = -1;
/** A scan looks at the time once in this many slots, less one; a mask. */
const SLOTS_PER_LOOK = 0xff;
