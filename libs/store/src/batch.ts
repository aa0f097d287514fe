import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import { assert, NiobeError } from '@niobe/kernel';
import { STAGED_BYTES_MAX, STAGING_ADDRESS, type Arena, type Purpose } from './arena.ts';
import {
  copyEntry,
  entryBytes,
  entryBytesAt,
  expiresAt,
  GENERATION_MAX,
  generationAt,
  headerBytesFor,
  HEADER_BYTES_MAX,
  keyBytesAt,
  keyStartAt,
  KIND,
  kindAt,
  schemaIdAt,
  slotAt,
  WORD_BYTES,
  writeHeader,
} from './entry.ts';
import type { SecondaryIndexes } from './indexes/secondary-indexes.ts';
import type { KeyIndex } from './key-index.ts';
import { BATCH_BYTES_MAX } from './limits.ts';
import type { Lane, Log } from './log.ts';
import type { Segment } from './segment.ts';
import { encodeDefinition, type SchemaEntries, type SchemaEntry } from './schema-entries.ts';
import type { SlotTable } from './slot-table.ts';

/**
 * The open batch of a partition: entries in the staging region, and a record of each step, so that it can be settled or undone.
 *
 * 1. While a batch is open, slots point to staged entries; the batch sees its own writes.
 * 2. Commit copies the entries to a segment and points the slots there. Live bytes are counted only now.
 * 3. Rollback undoes the steps in reverse order, which leaves slots, free slots and index exactly as they were.
 *
 * Steps are kept in four u32 each: what was done, slot, staged entry, entry before.
 */
export class Batch {
  readonly #arena: Arena;
  readonly #log: Log;
  readonly #slots: SlotTable;
  readonly #index: KeyIndex;
  readonly #indexes: SecondaryIndexes;
  readonly #schemas: SchemaTable;
  readonly #definitions: SchemaEntries;
  readonly #definitionsBefore: (SchemaEntry | undefined)[] = [];
  #steps: Uint32Array = new Uint32Array(STEP_WORDS * 256);
  #stepCount = 0;
  #stagedBytes = 0;
  #seqBefore = 0;
  #isOpen = false;
  #onlyFrees = true;

  constructor(parts: BatchParts) {
    this.#arena = parts.arena;
    this.#log = parts.log;
    this.#slots = parts.slots;
    this.#index = parts.index;
    this.#indexes = parts.indexes;
    this.#schemas = parts.schemas;
    this.#definitions = parts.definitions;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Bytes of the entries so far. */
  get stagedBytes(): number {
    return this.#stagedBytes;
  }

  /** Where the next entry will begin. */
  get nextAddress(): number {
    return STAGING_ADDRESS + this.#stagedBytes / WORD_BYTES;
  }

  /** Where the key of the next entry begins, in bytes. */
  keyStart(expiresS: number): number {
    return this.nextAddress * WORD_BYTES + headerBytesFor(expiresS);
  }

  begin(): void {
    assert(!this.#isOpen, 'a batch is ended before the next begins');
    this.#log.alignSeq();
    this.#arena.takeStaging(this.#log.versionWord);
    this.#isOpen = true;
    this.#onlyFrees = true;
    this.#stagedBytes = 0;
    this.#stepCount = 0;
    this.#seqBefore = this.#log.lastSeq;
  }

  /** Throws `TOO_LARGE` unless an entry with such a key and body still fits. */
  require(keyBytes: number, bodyBytes: number): void {
    assert(this.#isOpen, 'a batch is open');
    if (this.#stagedBytes + entryBytes(HEADER_BYTES_MAX, keyBytes, bodyBytes) > STAGED_BYTES_MAX) {
      throw new NiobeError('TOO_LARGE', `a batch exceeds ${BATCH_BYTES_MAX} bytes; send it in parts`, {
        maxBytes: BATCH_BYTES_MAX,
      });
    }
  }

  /**
   * Ends a cell of a new slot whose key and body were written at {@link nextAddress}. Returns the slot.
   *
   * @param hash of the key; of no meaning where the schema has none
   */
  createCell(schema: CompiledSchema, hash: number, keyBytes: number, bodyBytes: number, expiresS: number): number {
    if (schema.isKeyed) this.#index.reserve(hash);
    const isFresh = this.#slots.nextIsFresh(schema.id);
    const slot = this.#slots.take(schema.id);
    const before = this.#slots.address(slot);
    const generation = before === 0 ? 0 : generationAt(this.#arena.words, before) + 1;
    const address = this.#endEntry(KIND.cell, generation, schema.id, slot, keyBytes, bodyBytes, expiresS);
    this.#indexes.replace(schema.id, slot, 0, address);
    this.#slots.fill(slot, address);
    if (schema.isKeyed) this.#index.insert(hash, slot);
    this.#record(isFresh ? STEP.createFresh : STEP.createReused, slot, address, before);
    this.#onlyFrees = false;
    return slot;
  }

  /** Ends a cell that takes the place of its slot's one; key and body were written at {@link nextAddress}. */
  updateCell(slot: number, keyBytes: number, bodyBytes: number, expiresS: number): void {
    this.#slots.own(slot);
    const before = this.#slots.address(slot);
    const generation = generationAt(this.#arena.words, before);
    const schemaId = schemaIdAt(this.#arena.words, before);
    const address = this.#endEntry(KIND.cell, generation, schemaId, slot, keyBytes, bodyBytes, expiresS);
    this.#indexes.replace(schemaId, slot, before, address);
    this.#slots.move(slot, address);
    this.#record(STEP.move, slot, address, before);
    this.#onlyFrees = false;
  }

  /** Writes a tombstone over a slot's cell. */
  deleteCell(slot: number): void {
    this.require(0, 0);
    this.#slots.own(slot);
    const { words } = this.#arena;
    const before = this.#slots.address(slot);
    const generation = generationAt(words, before);
    const schemaId = this.#slots.schemaId(slot);
    this.#forgetKey(slot, before);
    this.#indexes.replace(schemaId, slot, before, 0);
    const address = this.#endEntry(KIND.tombstone, generation, schemaId, slot, 0, 0, 0);
    this.#slots.empty(slot, address);
    if (generation < GENERATION_MAX) this.#slots.release(slot);
    this.#record(STEP.delete, slot, address, before);
  }

  /** Writes the definition of a schema unless the log has this revision or a newer one. */
  define(schema: CompiledSchema): void {
    const before = this.#definitions.get(schema.id);
    if (before !== undefined && before.revision >= schema.revision) return;
    const body = encodeDefinition(schema);
    this.require(0, body.length);
    const address = this.nextAddress;
    this.#arena.bytes.set(body, this.keyStart(0));
    this.#endEntry(KIND.schema, 0, schema.id, 0, 0, body.length, 0);
    this.#replaceDefinition(schema.id, { address, revision: schema.revision }, before);
  }

  /** Copies an entry that is the latest of its slot or schema, as it is: what the cleaner does. It must fit. */
  copyEntry(from: number): void {
    const { words } = this.#arena;
    const address = this.nextAddress;
    if (kindAt(words, from) !== KIND.schema) this.#slots.own(slotAt(words, from));
    this.#stagedBytes += copyEntry(this.#arena, from, address, this.#log.versionWord);
    if (kindAt(words, from) === KIND.schema) {
      const before = this.#definitions.get(schemaIdAt(words, from))!;
      this.#replaceDefinition(schemaIdAt(words, from), { address, revision: before.revision }, before);
    } else {
      const slot = slotAt(words, from);
      this.#slots.move(slot, address);
      this.#record(STEP.move, slot, address, from);
    }
  }

  #replaceDefinition(schemaId: number, entry: SchemaEntry, before: SchemaEntry | undefined): void {
    this.#definitions.set(schemaId, entry);
    this.#definitionsBefore.push(before);
    this.#record(STEP.define, schemaId, entry.address, before?.address ?? 0);
  }

  /** Writes header and padding of the entry at {@link nextAddress}, with the next seq. */
  #endEntry(
    kind: number,
    generation: number,
    schemaId: number,
    slot: number,
    keyBytes: number,
    bodyBytes: number,
    expiresS: number,
  ): number {
    const { words, bytes } = this.#arena;
    const address = this.nextAddress;
    const headerBytes = headerBytesFor(expiresS);
    const size = entryBytes(headerBytes, keyBytes, bodyBytes);
    this.#log.lastSeq += 1;
    const { lastSeq } = this.#log;
    writeHeader(words, address, kind, generation, schemaId, slot, keyBytes, bodyBytes, lastSeq, expiresS);
    const start = address * WORD_BYTES;
    for (let at = start + headerBytes + keyBytes + bodyBytes; at < start + size; at++) bytes[at] = 0;
    this.#stagedBytes += size;
    return address;
  }

  #record(step: number, slot: number, address: number, before: number): void {
    const at = this.#stepCount * STEP_WORDS;
    if (at === this.#steps.length) this.#growSteps();
    this.#steps[at] = step;
    this.#steps[at + 1] = slot;
    this.#steps[at + 2] = address;
    this.#steps[at + 3] = before;
    this.#stepCount += 1;
  }

  /** Steps are bounded by the entries of a batch: 4 MiB of 24 bytes. */
  #growSteps(): void {
    const grown = new Uint32Array(this.#steps.length * 2);
    grown.set(this.#steps);
    this.#steps = grown;
  }

  /** Writes the batch to the log. A batch without entries writes nothing. Throws `STORE_FULL` and stays open. */
  commit(lane: Lane, purpose: Purpose, mostBytes?: number): void {
    assert(this.#isOpen, 'a batch is open');
    if (this.#stagedBytes > 0) {
      const segment = this.#log.makeRoom(lane, this.#stagedBytes, purpose, mostBytes);
      const moved = this.#log.write(segment, this.#stagedBytes);
      this.#settle(segment, moved);
      this.#end();
      this.#log.announce(segment, this.#stagedBytes);
    } else {
      this.#end();
    }
  }

  /** True while the batch holds nothing but deletes, which may use a part of the reserve. */
  get onlyFrees(): boolean {
    return this.#onlyFrees;
  }

  /** Points slots and definitions to where their entries are now, and counts what is live. */
  #settle(segment: Segment, moved: number): void {
    const { words } = this.#arena;
    const steps = this.#steps;
    for (let at = 0; at < this.#stepCount * STEP_WORDS; at += STEP_WORDS) {
      const slot = steps[at + 1]!;
      const staged = steps[at + 2]!;
      const before = steps[at + 3]!;
      if (before !== 0) this.#log.bury(before, entryBytesAt(words, before));
      if (steps[at] === STEP.define) {
        if (!this.#settleDefinition(slot, staged, moved)) continue;
      } else {
        if (this.#slots.address(slot) !== staged) continue;
        this.#slots.move(slot, staged + moved);
      }
      segment.liveBytes += entryBytesAt(words, staged);
      const expiresS = expiresAt(words, staged);
      if (expiresS !== 0 && expiresS < segment.earliestExpiryS) segment.earliestExpiryS = expiresS;
    }
  }

  #settleDefinition(schemaId: number, staged: number, moved: number): boolean {
    const entry = this.#definitions.get(schemaId)!;
    if (entry.address !== staged) return false;
    this.#definitions.set(schemaId, { address: staged + moved, revision: entry.revision });
    return true;
  }

  /** Leaves everything as it was before {@link begin}. */
  rollback(): void {
    assert(this.#isOpen, 'a batch is open');
    for (let step = this.#stepCount - 1; step >= 0; step--) this.#undo(step * STEP_WORDS);
    this.#log.lastSeq = this.#seqBefore;
    this.#end();
  }

  #undo(at: number): void {
    const slot = this.#steps[at + 1]!;
    const staged = this.#steps[at + 2]!;
    const before = this.#steps[at + 3]!;
    switch (this.#steps[at]) {
      case STEP.createFresh:
      case STEP.createReused:
        this.#forgetKey(slot, staged);
        this.#indexes.replace(this.#slots.schemaId(slot), slot, staged, 0);
        this.#slots.empty(slot, before);
        this.#slots.untake(slot, this.#steps[at] === STEP.createFresh);
        break;
      case STEP.delete:
        if (generationAt(this.#arena.words, before) < GENERATION_MAX) this.#slots.unrelease(slot);
        this.#indexes.replace(this.#slots.schemaId(slot), slot, 0, before);
        this.#slots.fill(slot, before);
        this.#rememberKey(slot, before);
        break;
      case STEP.move:
        this.#indexes.replace(this.#slots.schemaId(slot), slot, staged, before);
        this.#slots.move(slot, before);
        break;
      default:
        this.#definitions.set(slot, this.#definitionsBefore.pop());
    }
  }

  #end(): void {
    this.#isOpen = false;
    this.#definitionsBefore.length = 0;
    this.#arena.giveStaging();
  }

  /** Indexes the key of a cell, where it has one. */
  #rememberKey(slot: number, address: number): void {
    const schema = this.#schemaAt(address);
    if (schema.isKeyed) this.#index.insert(this.#hashAt(schema, address), slot);
  }

  /** Undoes {@link #rememberKey}. */
  #forgetKey(slot: number, address: number): void {
    const schema = this.#schemaAt(address);
    if (schema.isKeyed) this.#index.remove(this.#hashAt(schema, address), slot);
  }

  #schemaAt(address: number): CompiledSchema {
    const schema = this.#schemas.get(schemaIdAt(this.#arena.words, address));
    assert(schema !== undefined, 'the schema of a cell is known');
    return schema;
  }

  #hashAt(schema: CompiledSchema, address: number): number {
    const { words, bytes } = this.#arena;
    return schema.hashKey(bytes, keyStartAt(words, address), keyBytesAt(words, address));
  }
}

/** What a batch works on. */
export interface BatchParts {
  readonly arena: Arena;
  readonly log: Log;
  readonly slots: SlotTable;
  readonly index: KeyIndex;
  readonly indexes: SecondaryIndexes;
  readonly schemas: SchemaTable;
  readonly definitions: SchemaEntries;
}

const STEP_WORDS = 4;
const STEP = { createFresh: 0, createReused: 1, move: 2, delete: 3, define: 4 } as const;
