import { describe, expect, it } from '@jest/globals';
import { isNiobeError, type ErrorCode } from '@niobe/kernel';
import fc from 'fast-check';
import { LINK_IDS_MAX } from '../limits.ts';
import { FrameKind, PROTOCOL } from './header.ts';
import { Ack, OpKind, WriteFrameBuilder, WriteRequest, type OpKindCode } from './write-request.ts';
import { WriteReply, WriteReplyBuilder } from './write-reply.ts';

const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const source = fc
  .tuple(fc.string({ maxLength: 40 }), offset, offset, fc.oneof(fc.constant(NaN), fc.integer({ min: 0, max: 2 ** 45 })))
  .map(([name, a, b, watermarkMs]) => ({ name, from: Math.min(a, b), to: Math.max(a, b), watermarkMs }));
const NEW_LINK = { kind: OpKind.LINK as OpKindCode, expiresS: 0, epoch: 0, seq: 0 };
const versioned: readonly OpKindCode[] = [OpKind.REPLACE, OpKind.DELETE];
const cellOp = fc
  .record({
    kind: fc.constantFrom<OpKindCode>(...Object.values(OpKind).filter((kind) => kind !== OpKind.LINK)),
    schema: fc.integer({ min: 0, max: 0xffff }),
    expiresS: fc.integer({ min: 0, max: 0xffff_ffff }),
    key: fc.uint8Array({ maxLength: 60 }),
    body: fc.uint8Array({ maxLength: 120 }),
    epoch: fc.integer({ min: 0, max: 0xfffff }),
    seq: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
  })
  .map((made) => (versioned.includes(made.kind) ? made : { ...made, epoch: 0, seq: 0 }));
const link = fc
  .record({
    schema: fc.integer({ min: 0, max: 0xffff }),
    key: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    ids: fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: 20 }),
  })
  .map(({ schema, key, ids }) => ({ ...NEW_LINK, schema, key, body: Uint8Array.from(ids.flatMap((id) => [...id])) }));
const op = fc.oneof({ weight: 3, arbitrary: cellOp }, link);
const section = fc.record({
  partition: fc.nat(4095),
  epoch: fc.nat(0xfffff),
  sources: fc.array(source, { maxLength: 3 }),
  ops: fc.array(op, { maxLength: 10 }),
});
type Section = typeof section extends fc.Arbitrary<infer S> ? S : never;
const sections = fc.array(section, { maxLength: 5 });

function request(of: readonly Section[]): Uint8Array {
  const builder = new WriteFrameBuilder();
  builder.start(9, Ack.DURABLE, true);
  for (const { partition, epoch, sources, ops } of of) {
    builder.beginSection(partition, epoch);
    for (const { name, from, to, watermarkMs } of sources) builder.source(name, from, to, watermarkMs);
    for (const { kind, schema, expiresS, key, body, epoch: versionEpoch, seq } of ops)
      builder.op(kind, schema, expiresS, key, 0, key.length, body, 0, body.length, versionEpoch, seq);
    builder.endSection();
  }
  return builder.finish();
}

function walked(frame: Uint8Array): Section[] {
  const read = new WriteRequest(frame);
  const out: Section[] = [];
  const decoder = new TextDecoder();
  while (read.nextSection()) {
    const made: Section = { partition: read.partition, epoch: read.epoch, sources: [], ops: [] };
    while (read.nextSource()) {
      const name = decoder.decode(frame.subarray(read.nameAt, read.nameAt + read.nameBytes));
      made.sources.push({ name, from: read.from, to: read.to, watermarkMs: read.watermarkMs });
    }
    while (read.nextOp())
      made.ops.push({
        kind: read.kind,
        schema: read.schemaId,
        expiresS: read.expiresS,
        key: frame.slice(read.keyAt, read.keyAt + read.keyBytes),
        body: frame.slice(read.bodyAt, read.bodyAt + read.bodyBytes),
        epoch: read.versionEpoch,
        seq: read.versionSeq,
      });
    expect(made.ops).toHaveLength(read.ops);
    out.push(made);
  }
  return out;
}

describe('WRITE requests', () => {
  it('are read as they were written', () => {
    fc.assert(fc.property(sections, (of) => expect(walked(request(of))).toEqual(of)));
  });

  it('say how they are to be acknowledged', () => {
    const read = new WriteRequest(request([]));
    expect([read.ack, read.versionsWanted, read.header.client]).toEqual([Ack.DURABLE, true, 9]);
  });

  it('give nothing but MALFORMED however they are damaged, and never read beyond their end', () => {
    fc.assert(
      fc.property(
        sections,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(20),
        (of, damages, cut) => {
          const frame = request(of);
          for (const [at, byte] of damages) frame[at % frame.length] = byte;
          try {
            walked(frame.subarray(0, Math.max(0, frame.length - cut)));
          } catch (error) {
            expect(isNiobeError(error, 'MALFORMED')).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['from a key that is no id', 7, 8],
    ['from two ids', 16, 8],
    ['to nothing', 8, 0],
    ['to part of an id', 8, 12],
    ['to more ids than the bound', 8, (LINK_IDS_MAX + 1) * 8],
  ])('refuse a link %s', (_what, keyBytes, bodyBytes) => {
    const made = { ...NEW_LINK, schema: 20, key: new Uint8Array(keyBytes), body: new Uint8Array(bodyBytes) };
    const frame = request([{ partition: 1, epoch: 0, sources: [], ops: [made] }]);
    expect(() => new WriteRequest(frame)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('give nothing but MALFORMED for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const frame = Uint8Array.of(PROTOCOL, FrameKind.WRITE, ...bytes);
        try {
          walked(frame);
        } catch (error) {
          expect(isNiobeError(error, 'MALFORMED')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const outcome = fc.oneof(
  fc.record({
    partition: fc.nat(4095),
    commitEpoch: fc.nat(0xfffff),
    commitSeq: offset,
    presentOffsets: fc.array(offset, { maxLength: 3 }),
    versions: fc.array(fc.tuple(fc.nat(0xfffff), offset), { maxLength: 5 }),
  }),
  fc.record({
    partition: fc.nat(4095),
    refusal: fc.record({
      code: fc.constantFrom<ErrorCode>('OFFSET_MISMATCH', 'STORE_FULL', 'EXISTS'),
      message: fc.string({ maxLength: 50 }),
      retryAfterMs: fc.nat(9999),
    }),
    opIndex: fc.integer({ min: -1, max: 1000 }),
    presentOffsets: fc.array(offset, { maxLength: 3 }),
  }),
);
type Outcome = typeof outcome extends fc.Arbitrary<infer O> ? O : never;

function reply(of: readonly Outcome[]): Uint8Array {
  const builder = new WriteReplyBuilder();
  builder.start(new WriteRequest(request(of.map(({ partition }) => ({ partition, epoch: 0, sources: [], ops: [] })))));
  for (const made of of) {
    if ('refusal' in made) {
      builder.refuse(made.partition, made.refusal, made.opIndex, made.presentOffsets);
      continue;
    }
    builder.beginCommitted(made.partition, made.commitEpoch, made.commitSeq, made.presentOffsets);
    for (const [epoch, seq] of made.versions) builder.version(epoch, seq);
    builder.endSection();
  }
  return builder.finish();
}

function walkedReply(frame: Uint8Array): Outcome[] {
  const read = new WriteReply(frame);
  const out: Outcome[] = [];
  while (read.nextSection()) {
    const { partition, refusal, opIndex, presentOffsets, commitEpoch, commitSeq } = read;
    const versions = Array.from({ length: read.versions }, (_, i): [number, number] => [
      read.versionEpoch(i),
      read.versionSeq(i),
    ]);
    out.push(
      refusal === null
        ? { partition, commitEpoch, commitSeq, presentOffsets, versions }
        : { partition, refusal, opIndex, presentOffsets },
    );
  }
  return out;
}

describe('WRITE replies', () => {
  it('are read as they were written', () => {
    fc.assert(fc.property(fc.array(outcome, { maxLength: 6 }), (of) => expect(walkedReply(reply(of))).toEqual(of)));
  });

  it('give nothing but a NiobeError however they are damaged', () => {
    fc.assert(
      fc.property(
        fc.array(outcome, { maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        (of, damages) => {
          const frame = reply(of);
          for (const [at, byte] of damages) frame[at % frame.length] = byte;
          try {
            walkedReply(frame);
          } catch (error) {
            expect(isNiobeError(error)).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
