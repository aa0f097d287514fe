import type { SchemaTable } from '@niobe/cells';
import { assert, viewOf } from '@niobe/kernel';
import { keyBytesAt, keyStartAt, keyWordAt, schemaIdAt, type EntryMemory } from './entry.ts';
import type { KeysOfSlots } from './key-index.ts';
import type { SlotTable } from './slot-table.ts';

// The engine puts a file's own constants into the code as they are, but loads and checks imported ones at each use.
const keyBytesOf = keyBytesAt;
const keyWordOf = keyWordAt;
const schemaOf = schemaIdAt;
const viewOver = viewOf;

/** Compares bytes that begin with a word, as keys in the arena do, with any others: word by word. */
const sameBytes = (words: Uint32Array, first: number, bytes: Uint8Array, at: number, length: number): boolean => {
  const view = viewOver(bytes);
  const whole = length & ~3;
  let word = first;
  for (let i = 0; i < whole; i += 4, word++) if (view.getUint32(at + i, true) !== words[word]) return false;
  const rest = length & 3;
  if (rest === 0) return true;
  if (length > 4) {
    const unused = (4 - rest) << 3;
    return (words[word]! ^ (view.getUint32(at + length - 4, true) >>> unused)) << unused === 0;
  }
  for (let i = 0; i < rest; i++) if (((words[word]! >>> (i * 8)) & 0xff) !== bytes[at + whole + i]) return false;
  return true;
};

/** Keys where they are kept: in the cells. */
export class StoredKeys implements KeysOfSlots {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #slots: SlotTable;
  readonly #schemas: SchemaTable;

  constructor(memory: EntryMemory & { readonly bytes: Uint8Array }, slots: SlotTable, schemas: SchemaTable) {
    this.#bytes = memory.bytes;
    this.#words = memory.words;
    this.#slots = slots;
    this.#schemas = schemas;
  }

  addressIfAt(slot: number, schemaId: number, bytes: Uint8Array, keyAt: number, keyBytes: number): number {
    const words = this.#words;
    const address = this.#slots.address(slot);
    if (keyBytesOf(words, address) !== keyBytes || schemaOf(words, address) !== schemaId) return 0;
    return sameBytes(words, keyWordOf(words, address), bytes, keyAt, keyBytes) ? address : 0;
  }

  areSame(slot: number, other: number): boolean {
    const words = this.#words;
    const address = this.#slots.address(other);
    const keyAt = keyStartAt(words, address);
    return this.addressIfAt(slot, schemaIdAt(words, address), this.#bytes, keyAt, keyBytesAt(words, address)) !== 0;
  }

  hashOf(slot: number): number {
    const address = this.#slots.address(slot);
    const schema = this.#schemas.get(schemaIdAt(this.#words, address));
    assert(schema !== undefined, 'the schema of a cell is known');
    return schema.hashKey(this.#bytes, keyStartAt(this.#words, address), keyBytesAt(this.#words, address));
  }
}
