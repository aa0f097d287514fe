import { isIdOf, slotOfId, type CompiledSchema, type Predicate } from '@niobe/cells';
import { copyRange, NiobeError, type ByteWriter } from '@niobe/kernel';
import { RUN_MASK } from './body-columns.ts';
import {
  bodyBytesAt,
  bodyStartAt,
  expiresAt,
  generationAt,
  isCellAt,
  isLastingCellAt,
  keyBytesAt,
  KIND,
  kindAt,
} from './entry.ts';
import { MatchingCells } from './matching-cells.ts';
import type { Parts } from './parts.ts';
import { PAGE_BITS, PAGE_MASK } from './page-pool.ts';
import type { SlotTable } from './slot-table.ts';

// The engine puts a file's own constants into the code as they are, but loads and checks imported ones at each use.
const slotOf = slotOfId;
const isOf = isIdOf;
const expiresOf = expiresAt;
const generationOf = generationAt;
const isCell = isCellAt;
const isLasting = isLastingCellAt;

/** Finds cells by key and walks over them. An expired cell is not found, whether or not the cleaner has been there. */
export class CellReader {
  readonly #parts: Parts;
  readonly #slots: SlotTable;
  readonly #words: Uint32Array;
  readonly #partition: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#slots = parts.slots;
    this.#words = parts.arena.words;
    this.#partition = parts.log.partition;
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
    const { index } = this.#parts;
    const schema = this.keyedSchema(schemaId);
    const slot = index.find(schema.hashKey(bytes, keyAt, keyBytes), schemaId, bytes, keyAt, keyBytes);
    return slot >= 0 && this.isExpired(index.foundAddress) ? -1 : slot;
  }

  /** The address of the key's cell, or 0. */
  addressOfKey(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    return this.find(schemaId, bytes, keyAt, keyBytes) < 0 ? 0 : this.#parts.index.foundAddress;
  }

  /** As {@link addressOfKey}, beginning with a slot that the key probably has. */
  addressFrom(guess: number, schema: CompiledSchema, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const address = this.#parts.keys.addressIfAt(guess, schema.id, bytes, keyAt, keyBytes);
    if (address === 0) return this.addressOfKey(schema.id, bytes, keyAt, keyBytes);
    return this.isExpired(address) ? 0 : address;
  }

  /** Appends the body of the key's cell to `out`; false where there is none. */
  get(schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number, out: ByteWriter): boolean {
    const address = this.addressOfKey(schemaId, bytes, keyAt, keyBytes);
    if (address === 0) return false;
    const { arena } = this.#parts;
    const start = bodyStartAt(arena.words, address);
    const length = bodyBytesAt(arena.words, address);
    const at = out.reserve(length);
    copyRange(arena.bytes, start, start + length, out.buffer, at);
    return true;
  }

  /** True if the entry at `address` is a cell whose time is over. */
  isExpired(address: number): boolean {
    const expiresS = expiresOf(this.#words, address);
    return expiresS !== 0 && expiresS * 1000 <= this.#parts.clock.nowMs();
  }

  /** The slot of the cell with an id, or -1. Any number may be asked for. */
  slotOfId(id: number): number {
    return this.addressOfId(id) === 0 ? -1 : slotOfId(id);
  }

  /** The address of the cell with an id, or 0. Any number may be asked for. */
  addressOfId(id: number): number {
    const address = this.#slots.addressOrNone(slotOf(id));
    return this.isOfId(address, id) ? address : 0;
  }

  /** True if the entry at `address`, which the slot of an id has, is the cell with this id. */
  isOfId(address: number, id: number): boolean {
    const words = this.#words;
    if (!isLasting(words, address) && (!isCell(words, address) || this.isExpired(address))) return false;
    return isOf(id, this.#partition, generationOf(words, address));
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
    const { words, bytes } = this.#parts.arena;
    const isCell = (address: number): boolean => kindAt(words, address) === KIND.cell && !this.isExpired(address);
    const matching = new MatchingCells({ bytes, words, addresses: slots.words }, predicate, isCell);
    let seenBytes = 0;
    for (let slot = cursor; slot < slots.limit;) {
      if (slots.schemaId(slot) !== schemaId) {
        slot = (slot | PAGE_MASK) + 1;
        continue;
      }
      const end = (slot | RUN_MASK) + 1;
      const count = matching.find(slots.bases[slot >>> PAGE_BITS]! | (slot & PAGE_MASK), slot, end);
      for (let i = 0; i < count; i++) {
        visit(matching.slots[i]!);
        seenBytes += this.cellBytes(matching.slots[i]!);
        if (seenBytes >= limitBytes) return matching.slots[i]! + 1;
      }
      if (clock.monotonicMs() >= endMs) return end;
      slot = end;
    }
    return SCAN_END;
  }

  /** Bytes of key and body. */
  cellBytes(slot: number): number {
    const { arena, slots } = this.#parts;
    const address = slots.address(slot);
    return keyBytesAt(arena.words, address) + bodyBytesAt(arena.words, address);
  }
}

/** The cursor of a scan that has been through. */
export const SCAN_END = -1;
