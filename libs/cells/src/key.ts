import { murmur32, type ByteWriter } from '@niobe/kernel';
import { KEY_BYTES_MAX, type KeyType } from './types.ts';
import { isUtf8, textAt, utf8Of } from './utf8.ts';
import { malformed, violation } from './violation.ts';
import { i64At, setI64 } from './words.ts';

/** Keys: text as UTF-8, safe integers as 64 bits little-endian, so that `1` and `'1'` never meet. */

const INTEGER_KEY_BYTES = 8;
/** The byte after the schema's name in the seed of its key hash. */
const TYPE_TAGS: Readonly<Record<KeyType, number>> = { none: 0, text: 1, integer: 2 };

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
  } else {
    throw violation('key', EXPECTED[keyType]);
  }
}

const EXPECTED: Readonly<Record<KeyType, string>> = {
  none: 'cells of this schema have no key',
  text: 'a well-formed text is needed',
  integer: 'an integer within +-(2^53 - 1) is needed',
};

/** The key in checked bytes. */
export function decodeKey(keyType: KeyType, bytes: Uint8Array, at: number, length: number): string | number {
  return keyType === 'integer' ? i64At(bytes, at) : textAt(bytes, at, at + length);
}

/** Throws `SCHEMA_VIOLATION` or `MALFORMED` unless the bytes are a key of this type. */
export function checkKey(keyType: KeyType, bytes: Uint8Array, at: number, length: number): void {
  if (keyType === 'none') throw violation('key', EXPECTED.none);
  if (keyType === 'text') checkTextKey(bytes, at, length);
  else checkIntegerKey(bytes, at, length);
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
