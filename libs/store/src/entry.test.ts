import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bodyBytesAt,
  bodyStartAt,
  copiedBytes,
  copyEntry,
  entryBytesAt,
  epochAt,
  expiresAt,
  generationAt,
  GRAIN_SHIFT,
  headerBytesFor,
  keyBytesAt,
  KIND,
  kindAt,
  schemaIdAt,
  seqAt,
  slotAt,
  versionWordOf,
  WORD_BYTES,
  writeHeader,
  type EntryMemory,
} from './entry.ts';
import { EPOCH_LIMIT, SEQ_LIMIT } from './limits.ts';

const GRAIN = 1 << GRAIN_SHIFT;
/** An address in each of two grains. */
const FROM = 5;
const TO = GRAIN + 7;

function memory(): EntryMemory & { bytes: Uint8Array } {
  const words = new Uint32Array(2 * GRAIN);
  return { words, bytes: new Uint8Array(words.buffer), bases: new Uint32Array(2) };
}

const version = fc.record({ epoch: fc.nat(EPOCH_LIMIT - 1), seq: fc.nat(SEQ_LIMIT - 1) });
const entry = fc.record({
  version,
  generation: fc.nat(255),
  schemaId: fc.integer({ min: 1, max: 0xffff }),
  slot: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 60 }),
  keyBytes: fc.nat(20),
  expiresS: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)),
});

describe('an entry', () => {
  it('keeps everything but its place when it is copied, also to where another epoch or half of seqs is', () => {
    fc.assert(
      fc.property(entry, fc.option(version, { nil: null }), (wanted, other) => {
        const { payload, expiresS } = wanted;
        const keyBytes = Math.min(wanted.keyBytes, payload.length);
        const mem = memory();
        const { epoch, seq } = wanted.version;
        mem.bases[0] = versionWordOf(epoch, seq);
        mem.bases[1] = other === null ? mem.bases[0] : versionWordOf(other.epoch, other.seq);
        const { generation, schemaId, slot } = wanted;
        const bodyBytes = payload.length - keyBytes;
        writeHeader(mem.words, FROM, KIND.cell, generation, schemaId, slot, keyBytes, bodyBytes, seq, expiresS);
        mem.bytes.set(payload, FROM * WORD_BYTES + headerBytesFor(expiresS));

        const expectedBytes = copiedBytes(mem, FROM, mem.bases[1]);
        expect(copyEntry(mem, FROM, TO, mem.bases[1])).toBe(expectedBytes);
        expect(expectedBytes - entryBytesAt(mem.words, FROM)).toBe(mem.bases[0] === mem.bases[1] ? 0 : WORD_BYTES);
        for (const at of [FROM, TO]) {
          expect([kindAt(mem.words, at), generationAt(mem.words, at)]).toEqual([KIND.cell, generation]);
          expect([schemaIdAt(mem.words, at), slotAt(mem.words, at)]).toEqual([schemaId, slot]);
          expect([keyBytesAt(mem.words, at), bodyBytesAt(mem.words, at)]).toEqual([keyBytes, bodyBytes]);
          expect([epochAt(mem, at), seqAt(mem, at), expiresAt(mem.words, at)]).toEqual([epoch, seq, expiresS]);
          const keyAt = bodyStartAt(mem.words, at) - keyBytes;
          expect([...mem.bytes.subarray(keyAt, keyAt + payload.length)]).toEqual([...payload]);
        }
        expect(entryBytesAt(mem.words, TO)).toBe(expectedBytes);
      }),
    );
  });
});
