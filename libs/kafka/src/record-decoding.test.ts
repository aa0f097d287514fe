import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { speedUpDecoding } from './record-decoding.ts';

/** Internal parts of kafkajs that write and read one record of a batch. */
const require = createRequire(import.meta.url);
const encode = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => { readonly buffer: Buffer };
const decode = require('kafkajs/src/protocol/recordBatch/record/v0/decoder') as (
  decoder: { readVarInt(): number },
  batch: object,
) => { readonly timestamp: string; readonly value: Buffer; readonly headers: unknown };
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => { readVarInt(): number };

const BATCH = { firstOffset: '7', firstTimestamp: '1700000000000' };
const RECORDS = [
  { headers: { ce_id: 'a', ce_type: 'purchase' }, timestampDelta: 0 },
  { headers: { ce_id: 'b', ce_type: 'cancel' }, timestampDelta: 63 },
  { headers: { ce_type: 'cancel', ce_id: 'b' }, timestampDelta: 64 },
  { headers: { twice: ['1', '2', '3'], once: '4' }, timestampDelta: 1_000_000 },
  { headers: {}, timestampDelta: -64 },
  { headers: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`name${i}`, `${i}`])), timestampDelta: -65 },
].map((record) => ({ offsetDelta: 1, key: 'k', value: 'v', ...record }));

function decodeAll(): unknown[] {
  return RECORDS.map((record) => {
    const decoder = new Decoder(encode(record).buffer);
    decoder.readVarInt();
    const { timestamp, value, headers } = decode(decoder, BATCH);
    return { timestamp, value, headers };
  });
}

describe('speedUpDecoding', () => {
  let before: unknown[] = [];
  beforeAll(() => {
    before = decodeAll();
    speedUpDecoding();
    speedUpDecoding();
  });

  it('decodes records to what kafkajs decodes them to', () => {
    expect(decodeAll()).toEqual(before);
    expect(decodeAll()).toEqual(before);
  });

  it('keeps a header without a value', () => {
    const bytes = Buffer.from([0, 0, 0, 1, 1, 2, 2, 'n'.charCodeAt(0), 1]);
    expect(decode(new Decoder(bytes), BATCH).headers).toEqual({ n: null });
  });
});
