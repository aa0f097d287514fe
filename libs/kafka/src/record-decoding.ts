import { createRequire } from 'node:module';
import { assert } from '@niobe/kernel';

/**
 * Two steps in which kafkajs spends five sixths of decoding a record: it joins the headers by copying the whole object once for each
 * of them, and it reads the delta of the timestamp bit by bit into big integers. Here are steps with the same results, put into the one
 * class through which kafkajs decodes. That class is no part of its public door, so package.json names one version of kafkajs, and a
 * start with another one that decodes otherwise ends here.
 */

/** What the steps use of the decoder of kafkajs. */
interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readVarInt(): number;
  readVarLong: (this: Decoder) => unknown;
  readVarIntArray(read: unknown): unknown;
}

/** A value of a header; a list where its name comes more than once. */
type HeaderValue = Buffer | null | readonly (Buffer | null)[];

/** kafkajs reduces the list of a record's headers to an object; this one is that object already. */
class HeaderList {
  readonly #byName: Record<string, HeaderValue>;

  constructor(byName: Record<string, HeaderValue>) {
    this.#byName = byName;
  }

  reduce(): Record<string, HeaderValue> {
    return this.#byName;
  }
}

/** Name of the header that was read last at each position: records of a topic mostly have the same ones. */
const lastNames: { readonly text: string; readonly bytes: Uint8Array }[] = [];
/** Names at further positions are decoded each time. */
const LAST_NAMES_MAX = 16;

/** Takes the place of `readVarIntArray`, which kafkajs uses for headers alone. */
function readHeaders(this: Decoder): HeaderList {
  const count = this.readVarInt();
  const byName: Record<string, HeaderValue> = {};
  for (let position = 0; position < count; position++) {
    const name = readName(this, position);
    const value = readValue(this);
    const before = byName[name];
    byName[name] = before === undefined ? value : joined(before, value);
  }
  return new HeaderList(byName);
}

function readName(decoder: Decoder, position: number): string {
  const length = decoder.readVarInt();
  const start = decoder.offset;
  decoder.offset += length;
  const last = lastNames[position];
  if (last !== undefined && isAt(decoder.buffer, start, length, last.bytes)) return last.text;
  const text = decoder.buffer.toString('utf8', start, start + length);
  if (position < LAST_NAMES_MAX)
    lastNames[position] = { text, bytes: Uint8Array.from(decoder.buffer.subarray(start, start + length)) };
  return text;
}

function isAt(bytes: Uint8Array, start: number, length: number, expected: Uint8Array): boolean {
  if (length !== expected.length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

function readValue(decoder: Decoder): Buffer | null {
  const length = decoder.readVarInt();
  if (length < 0) return null;
  const start = decoder.offset;
  decoder.offset += length;
  return decoder.buffer.subarray(start, start + length);
}

function joined(before: HeaderValue, value: Buffer | null): HeaderValue {
  return before === null || Buffer.isBuffer(before) ? [before, value] : [...before, value];
}

/** A number that kafkajs takes for one of its own. */
interface Long {
  readonly value: bigint;
}
type LongClass = new (value: bigint) => Long;

/** Deltas of one byte, -64 to 63, are what nearly all records have. */
function shortDeltas(Long: LongClass): readonly Long[] {
  return Array.from({ length: 128 }, (_, byte) => new Long(BigInt((byte >>> 1) ^ -(byte & 1))));
}

/** Replaces the two steps, for the whole process; a second call changes nothing. */
export function speedUpDecoding(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/protocol/decoder') as { readonly prototype: Decoder };
  if (prototype.readVarIntArray === readHeaders) return;
  assert(typeof prototype.readVarIntArray === 'function', 'this version of kafkajs decodes headers as expected');
  const deltas = shortDeltas(require('kafkajs/src/utils/long') as LongClass);
  const { readVarLong } = prototype;
  prototype.readVarIntArray = readHeaders;
  prototype.readVarLong = function (this: Decoder): unknown {
    const delta = deltas[this.buffer[this.offset]!];
    if (delta === undefined) return readVarLong.call(this);
    this.offset += 1;
    return delta;
  };
}
