import { CELL_BYTES_MAX, type CompiledSchema } from '@niobe/cells';
import { assert, copyRange, NiobeError, sameRange } from '@niobe/kernel';
import type { CellReader } from './cell-reader.ts';
import { bodyBytesAt, bodyStartAt, epochAt, expiresAt, keyBytesAt, keyStartAt, KIND, kindAt, seqAt } from './entry.ts';
import type { Parts } from './parts.ts';

/**
 * The write operations of an open batch. Keys and bodies are ranges of bytes from outside and are checked here. An operation that throws
 * has written nothing; the batch may go on without it or be rolled back.
 */
export class CellWriter {
  readonly #parts: Parts;
  readonly #reader: CellReader;
  #lastSlot = -1;

  constructor(parts: Parts, reader: CellReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  /** Slot of the cell the last operation wrote or left as it was, -1 where it left none. */
  get lastSlot(): number {
    return this.#lastSlot;
  }

  put(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    const schema = this.#begin(schemaId, bytes, keyBytes, bodyAt, bodyBytes);
    const hash = schema.hashKey(bytes, keyAt, keyBytes);
    const slot = this.#findForWrite(hash, schemaId, bytes, keyAt, keyBytes);
    if (slot < 0) return this.#create(schema, hash, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
    return this.#overwrite(schema, slot, bytes, bodyAt, bodyBytes, expiresS);
  }

  putIfAbsent(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    const schema = this.#begin(schemaId, bytes, keyBytes, bodyAt, bodyBytes);
    const hash = schema.hashKey(bytes, keyAt, keyBytes);
    const slot = this.#findForWrite(hash, schemaId, bytes, keyAt, keyBytes);
    if (slot >= 0) throw new NiobeError('EXISTS', `a cell of ${schema.name} with this key exists`);
    return this.#create(schema, hash, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
  }

  replace(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
    epoch: number,
    seq: number,
  ): WriteStatus {
    const schema = this.#begin(schemaId, bytes, keyBytes, bodyAt, bodyBytes);
    const slot = this.#reader.find(schemaId, bytes, keyAt, keyBytes);
    if (slot < 0) throw absent(schema);
    this.#requireVersion(schema, slot, epoch, seq);
    return this.#overwrite(schema, slot, bytes, bodyAt, bodyBytes, expiresS);
  }

  delete(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    epoch: number,
    seq: number,
  ): WriteStatus {
    assert(this.#parts.batch.isOpen, 'a batch is open');
    const schema = this.#reader.keyedSchema(schemaId);
    const slot = this.#reader.find(schemaId, bytes, keyAt, keyBytes);
    this.#lastSlot = -1;
    if (slot < 0) {
      if (seq !== 0) throw absent(schema);
      return 'absent';
    }
    this.#requireVersion(schema, slot, epoch, seq);
    this.#parts.batch.deleteCell(slot);
    return 'deleted';
  }

  merge(
    schemaId: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    const schema = this.#begin(schemaId, bytes, keyBytes, bodyAt, bodyBytes);
    const hash = schema.hashKey(bytes, keyAt, keyBytes);
    const slot = this.#findForWrite(hash, schemaId, bytes, keyAt, keyBytes);
    if (slot < 0) return this.#create(schema, hash, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
    return this.#mergeInto(schema, slot, bytes, bodyAt, bodyBytes, expiresS);
  }

  create(schemaId: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number, expiresS: number): number {
    const schema = this.#reader.schema(schemaId);
    assert(!schema.isKeyed, 'a cell with a key is put');
    schema.check(bytes, bodyAt, bodyBytes);
    this.#append(schema, 0, bytes, 0, 0, bodyAt, bodyBytes, expiresS);
    return this.#lastSlot;
  }

  overwrite(slot: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number, expiresS: number): WriteStatus {
    const { arena, slots } = this.#parts;
    const schema = this.#schemaOf(slot);
    schema.check(bytes, bodyAt, bodyBytes);
    requireCellSize(keyBytesAt(arena.words, slots.address(slot)), bodyBytes);
    return this.#overwrite(schema, slot, bytes, bodyAt, bodyBytes, expiresS);
  }

  remove(slot: number): void {
    this.#schemaOf(slot);
    this.#parts.batch.deleteCell(slot);
    this.#lastSlot = -1;
  }

  #schemaOf(slot: number): CompiledSchema {
    const { arena, slots } = this.#parts;
    assert(kindAt(arena.words, slots.address(slot)) === KIND.cell, 'the slot has a cell');
    return this.#reader.schema(slots.schemaId(slot));
  }

  /** Checks schema, body and sizes. */
  #begin(schemaId: number, bytes: Uint8Array, keyBytes: number, bodyAt: number, bodyBytes: number): CompiledSchema {
    const schema = this.#reader.keyedSchema(schemaId);
    schema.check(bytes, bodyAt, bodyBytes);
    requireCellSize(keyBytes, bodyBytes);
    return schema;
  }

  /** The slot of the key's cell, or -1. An expired cell is deleted first, so that the new one gets an id of its own. */
  #findForWrite(hash: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const { batch, index } = this.#parts;
    const slot = index.find(hash, schemaId, bytes, keyAt, keyBytes);
    if (slot < 0 || !this.#reader.isExpired(index.foundAddress)) return slot;
    batch.deleteCell(slot);
    return -1;
  }

  #create(
    schema: CompiledSchema,
    hash: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    schema.checkKey(bytes, keyAt, keyBytes);
    this.#append(schema, hash, bytes, keyAt, keyBytes, bodyAt, bodyBytes, expiresS);
    return 'created';
  }

  /** Writes a cell with or without a key to a new slot. */
  #append(
    schema: CompiledSchema,
    hash: number,
    bytes: Uint8Array,
    keyAt: number,
    keyBytes: number,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): void {
    const { arena, batch } = this.#parts;
    batch.define(schema);
    batch.require(keyBytes, bodyBytes);
    const end = copyRange(bytes, keyAt, keyAt + keyBytes, arena.bytes, batch.keyStart(expiresS));
    copyRange(bytes, bodyAt, bodyAt + bodyBytes, arena.bytes, end);
    this.#lastSlot = batch.createCell(schema, hash, keyBytes, bodyBytes, expiresS);
  }

  #overwrite(
    schema: CompiledSchema,
    slot: number,
    bytes: Uint8Array,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    this.#lastSlot = slot;
    if (this.#holds(slot, bytes, bodyAt, bodyBytes, expiresS)) return 'unchanged';
    const bodyTo = this.#stageKey(schema, slot, bodyBytes, expiresS);
    copyRange(bytes, bodyAt, bodyAt + bodyBytes, this.#parts.arena.bytes, bodyTo);
    return this.#endUpdate(slot, bodyBytes, expiresS);
  }

  #mergeInto(
    schema: CompiledSchema,
    slot: number,
    bytes: Uint8Array,
    bodyAt: number,
    bodyBytes: number,
    expiresS: number,
  ): WriteStatus {
    const { arena, slots } = this.#parts;
    this.#lastSlot = slot;
    const oldLength = bodyBytesAt(arena.words, slots.address(slot));
    const bodyTo = this.#stageKey(schema, slot, schema.mergedBytesMax(oldLength, bodyBytes), expiresS);
    const oldAt = bodyStartAt(arena.words, slots.address(slot));
    const merged = schema.merge(arena.bytes, oldAt, oldLength, bytes, bodyAt, bodyBytes, arena.bytes, bodyTo);
    if (this.#holds(slot, arena.bytes, bodyTo, merged, expiresS)) return 'unchanged';
    requireCellSize(keyBytesAt(arena.words, slots.address(slot)), merged);
    return this.#endUpdate(slot, merged, expiresS);
  }

  /** Copies the slot's key to where the next entry will be and returns where its body goes. */
  #stageKey(schema: CompiledSchema, slot: number, bodyBytesMax: number, expiresS: number): number {
    const { arena, batch, slots } = this.#parts;
    const keyBytes = keyBytesAt(arena.words, slots.address(slot));
    batch.define(schema);
    batch.require(keyBytes, bodyBytesMax);
    const from = keyStartAt(arena.words, slots.address(slot));
    return copyRange(arena.bytes, from, from + keyBytes, arena.bytes, batch.keyStart(expiresS));
  }

  #endUpdate(slot: number, bodyBytes: number, expiresS: number): WriteStatus {
    const { arena, batch, slots } = this.#parts;
    batch.updateCell(slot, keyBytesAt(arena.words, slots.address(slot)), bodyBytes, expiresS);
    return 'updated';
  }

  /** True if the slot's cell has this body and expiry already. */
  #holds(slot: number, bytes: Uint8Array, bodyAt: number, bodyBytes: number, expiresS: number): boolean {
    const { arena, slots } = this.#parts;
    const address = slots.address(slot);
    if (bodyBytesAt(arena.words, address) !== bodyBytes || expiresAt(arena.words, address) !== expiresS) return false;
    return sameRange(arena.bytes, bodyStartAt(arena.words, address), bytes, bodyAt, bodyBytes);
  }

  /** Throws `VERSION_MISMATCH` unless the slot's cell has this version; seq 0 means any. */
  #requireVersion(schema: CompiledSchema, slot: number, epoch: number, seq: number): void {
    if (seq === 0) return;
    const { arena, slots } = this.#parts;
    const address = slots.address(slot);
    const presentEpoch = epochAt(arena, address);
    const presentSeq = seqAt(arena, address);
    if (presentEpoch === epoch && presentSeq === seq) return;
    throw new NiobeError(
      'VERSION_MISMATCH',
      `a cell of ${schema.name} has version ${presentEpoch}.${presentSeq}, not ${epoch}.${seq}; read it again`,
      { presentEpoch, presentSeq },
    );
  }
}

/** What an operation did. `unchanged`: the cell had that value, so nothing was written and its version stays. */
export type WriteStatus = 'created' | 'updated' | 'unchanged' | 'deleted' | 'absent';

function absent(schema: CompiledSchema): NiobeError {
  return new NiobeError('NOT_FOUND', `no cell of ${schema.name} has this key`);
}

function requireCellSize(keyBytes: number, bodyBytes: number): void {
  if (keyBytes + bodyBytes <= CELL_BYTES_MAX) return;
  throw new NiobeError('TOO_LARGE', `a cell of ${keyBytes + bodyBytes} bytes`, { maxBytes: CELL_BYTES_MAX });
}
