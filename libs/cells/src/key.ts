import { murmur32, type ByteWriter } from '@niobe/kernel';
import { CELL_ID_LIMIT, KEY_BYTES_MAX, type KeyType } from './types.ts';
import { isUtf8, textAt, utf8Of } from './utf8.ts';
import { malformed, violation } from './violation.ts';
import { i64At, setI64, u32At, u64At } from './words.ts';

/**
 * Keys: text as UTF-8, safe integers as 64 bits little-endian, so that `1` and `'1'` never meet.
 *
 * Keys made of cell ids, one (`id`) or from and to (`pair`), are 8 bytes an id. Their cells belong to the cell of the first id and live
 * in its partition; those of other keys live where their hash says.
 */

const INTEGER_KEY_BYTES = 8;
const ID_BYTES = 8;
/** The byte after the schema's name in the seed of its key hash. */
const TYPE_TAGS: Readonly<Record<KeyType, number>> = { none: 0, text: 1, integer: 2, id: 3, pair: 4 };
/** Numbers of no more digits than an id has, without leading zeros, so that one pair has one text. */
const PAIR_TEXT = /^(0|[1-9][0-9]{0,15}):(0|[1-9][0-9]{0,15})$/;
/** Bits of an id's upper word below the partition: the generation. */
const GENERATION_BITS = 8;

/** Seed of the key hash: `murmur32` of the schema's name and a byte for the type of its keys. */
export function hashSeedOf(name: string, keyType: KeyType): number {
  const text = utf8Of(name);
  const tagged = new Uint8Array(text.length + 1);
  tagged.set(text);
  tagged[text.length] = TYPE_TAGS[keyType];
  return murmur32(tagged, 0, tagged.length);
}

/** Appends a key; throws `SCHEMA_VIOLATION` with path `key`. */
export function encodeKey(keyType: KeyType, key: string | number, out: ByteWriter): void {
  if (keyType === 'integer' && typeof key === 'number' && Number.isSafeInteger(key)) {
    const at = out.reserve(INTEGER_KEY_BYTES);
    setI64(out.buffer, at, key);
  } else if (keyType === 'text' && typeof key === 'string' && key.isWellFormed()) {
    const bytes = utf8Of(key);
    if (bytes.length > KEY_BYTES_MAX) throw violation('key', `${bytes.length} bytes exceed ${KEY_BYTES_MAX}`);
    out.raw(bytes);
  } else if (keyType === 'id' && typeof key === 'number') {
    encodeIds(keyType, [key], out);
  } else if (keyType === 'pair' && typeof key === 'string' && PAIR_TEXT.test(key)) {
    encodeIds(keyType, key.split(':').map(Number), out);
  } else {
    throw violation('key', EXPECTED[keyType]);
  }
}

function encodeIds(keyType: KeyType, ids: readonly number[], out: ByteWriter): void {
  if (!ids.every((id) => Number.isInteger(id) && id >= 0 && id < CELL_ID_LIMIT))
    throw violation('key', EXPECTED[keyType]);
  for (const id of ids) {
    const at = out.reserve(ID_BYTES);
    setI64(out.buffer, at, id);
  }
}

const EXPECTED: Readonly<Record<KeyType, string>> = {
  none: 'cells of this schema have no key',
  text: 'a well-formed text is needed',
  integer: 'an integer within +-(2^53 - 1) is needed',
  id: 'a cell id is needed, an integer of 0 to 2^52 - 1',
  pair: 'two cell ids are needed, as text <from>:<to>',
};

/** The key in checked bytes; of a pair the text `<from>:<to>`. */
export function decodeKey(keyType: KeyType, bytes: Uint8Array, at: number, length: number): string | number {
  switch (keyType) {
    case 'integer':
      return i64At(bytes, at);
    case 'id':
      return u64At(bytes, at);
    case 'pair':
      return `${u64At(bytes, at)}:${u64At(bytes, at + ID_BYTES)}`;
    default:
      return textAt(bytes, at, at + length);
  }
}

/** Throws `SCHEMA_VIOLATION` or `MALFORMED` unless the bytes are a key of this type. */
export function checkKey(keyType: KeyType, bytes: Uint8Array, at: number, length: number): void {
  if (keyType === 'none') throw violation('key', EXPECTED.none);
  if (keyType === 'text') checkTextKey(bytes, at, length);
  else if (keyType === 'integer') checkIntegerKey(bytes, at, length);
  else checkIds(keyType, bytes, at, length);
}

function checkTextKey(bytes: Uint8Array, at: number, length: number): void {
  if (length > KEY_BYTES_MAX) throw violation('key', `${length} bytes exceed ${KEY_BYTES_MAX}`);
  if (!isUtf8(bytes, at, at + length)) throw malformed('key: a text that is not UTF-8');
}

function checkIntegerKey(bytes: Uint8Array, at: number, length: number): void {
  if (length !== INTEGER_KEY_BYTES)
    throw malformed(`key: an integer key has ${INTEGER_KEY_BYTES} bytes, not ${length}`);
  const value = i64At(bytes, at);
  if (!Number.isSafeInteger(value)) throw violation('key', EXPECTED.integer);
}

function checkIds(keyType: 'id' | 'pair', bytes: Uint8Array, at: number, length: number): void {
  const expected = keyType === 'id' ? ID_BYTES : 2 * ID_BYTES;
  if (length !== expected) throw malformed(`key: a key of type ${keyType} has ${expected} bytes, not ${length}`);
  for (let idAt = at; idAt < at + length; idAt += ID_BYTES)
    if (u64At(bytes, idAt) >= CELL_ID_LIMIT) throw violation('key', EXPECTED[keyType]);
}

/**
 * The partition that the first id of a key names. Throws as {@link checkKey}, and `SCHEMA_VIOLATION` where there is no such partition.
 */
export function partitionOfIdKey(
  keyType: 'id' | 'pair',
  bytes: Uint8Array,
  at: number,
  length: number,
  partitions: number,
): number {
  checkIds(keyType, bytes, at, length);
  const partition = u32At(bytes, at + 4) >>> GENERATION_BITS;
  if (partition < partitions) return partition;
  throw violation('key', `an id of partition ${partition}, where there are ${partitions}`);
}
