import { describe, expect, it } from '@jest/globals';
import { CELL_ID_LIMIT } from '@niobe/cells';
import { isNiobeError, type ErrorCode } from '@niobe/kernel';
import fc from 'fast-check';
import { FRAME_BYTES } from '../limits.ts';
import { CellState, GetFrameBuilder, GetReply, GetReplyBuilder, GetRequest } from './get.ts';
import { stampRequest } from './header.ts';

const key = fc.record({ schema: fc.integer({ min: 0, max: 0xffff }), bytes: fc.uint8Array({ maxLength: 80 }) });
const section = fc.record({
  partition: fc.integer({ min: 0, max: 4095 }),
  epoch: fc.integer({ min: 0, max: 0xfffff }),
  keys: fc.array(key, { maxLength: 12 }),
});
const sections = fc.array(section, { maxLength: 6 });
type Section = typeof section extends fc.Arbitrary<infer S> ? S : never;

function request(of: readonly Section[], idsOnly = false): Uint8Array {
  const builder = new GetFrameBuilder();
  builder.start(7, idsOnly);
  for (const { partition, epoch, keys } of of) {
    builder.beginSection(partition, epoch);
    for (const { schema, bytes } of keys) builder.key(schema, bytes, 0, bytes.length);
    builder.endSection();
  }
  return builder.finish();
}

function walked(frame: Uint8Array): Section[] {
  const read = new GetRequest(frame);
  const out: Section[] = [];
  while (read.nextSection()) {
    const keys = [];
    while (read.nextKey())
      keys.push({ schema: read.schemaId, bytes: frame.slice(read.keyAt, read.keyAt + read.keyBytes) });
    expect(keys).toHaveLength(read.keys);
    out.push({ partition: read.partition, epoch: read.epoch, keys });
  }
  return out;
}

describe('GET requests', () => {
  it('are read as they were written', () => {
    fc.assert(fc.property(sections, (of) => expect(walked(request(of))).toEqual(of)));
  });

  it('may be walked without their keys', () => {
    fc.assert(
      fc.property(sections, (of) => {
        const read = new GetRequest(request(of));
        const partitions: number[] = [];
        while (read.nextSection()) partitions.push(read.partition);
        expect(partitions).toEqual(of.map(({ partition }) => partition));
      }),
    );
  });

  it('say whether only ids are wanted', () => {
    expect([true, false].map((idsOnly) => new GetRequest(request([], idsOnly)).idsOnly)).toEqual([true, false]);
  });

  it('carry the id and the time left that were stamped last', () => {
    const frame = request([]);
    stampRequest(frame, 12, 345.9);
    expect(new GetRequest(frame).header).toEqual({ kind: 1, client: 7, serial: 12, deadlineMs: 345 });
  });

  it('cost no more than their bytes however they are damaged', () => {
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

  it('are refused with more sections or keys than the bounds', () => {
    const many = Array.from({ length: 1025 }, (_, partition) => ({ partition, epoch: 0, keys: [] }));
    expect(() => new GetRequest(request(many))).toThrow('1025 sections exceed');
    const keys = Array.from({ length: 16_385 }, () => ({ schema: 1, bytes: new Uint8Array(0) }));
    expect(() => new GetRequest(request([{ partition: 0, epoch: 0, keys }]))).toThrow('16385 keys exceed');
  });
});

const cell = fc.oneof(
  fc.constant('absent' as const),
  fc.constant('later' as const),
  fc.record({
    id: fc.integer({ min: 0, max: CELL_ID_LIMIT - 1 }),
    epoch: fc.integer({ min: 0, max: 0xfffff }),
    seq: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
    expiresS: fc.integer({ min: 0, max: 0xffff_ffff }),
    body: fc.uint8Array({ maxLength: 200 }),
  }),
);
const replySection = fc.oneof(
  fc.record({ partition: fc.nat(4095), cells: fc.array(cell, { maxLength: 8 }) }),
  fc.record({
    partition: fc.nat(4095),
    refusal: fc.record({
      code: fc.constantFrom<ErrorCode>('NOT_PRIMARY', 'BUSY', 'CLOSED'),
      message: fc.string({ unit: 'grapheme', maxLength: 60 }),
      retryAfterMs: fc.nat(100_000),
    }),
  }),
);
type ReplySection = typeof replySection extends fc.Arbitrary<infer S> ? S : never;

function reply(of: readonly ReplySection[], idsOnly = false): Uint8Array {
  const builder = new GetReplyBuilder();
  const sections = of.map(({ partition }) => ({ partition, epoch: 0, keys: [] }));
  builder.start(new GetRequest(request(sections, idsOnly)));
  for (const made of of) {
    if ('refusal' in made) {
      builder.refuse(made.partition, made.refusal);
      continue;
    }
    builder.beginSection(made.partition);
    for (const item of made.cells) {
      if (item === 'absent') builder.absent();
      else if (item === 'later') builder.later();
      else builder.found(item.id, item.epoch, item.seq, item.expiresS, item.body, 0, item.body.length);
    }
    builder.endSection();
  }
  return builder.finish();
}

function walkedReply(frame: Uint8Array): ReplySection[] {
  const read = new GetReply(frame);
  const out: ReplySection[] = [];
  while (read.nextSection()) {
    const cells: (typeof cell extends fc.Arbitrary<infer C> ? C : never)[] = [];
    while (read.nextCell()) {
      if (read.state === CellState.ABSENT) cells.push('absent');
      else if (read.state === CellState.LATER) cells.push('later');
      else
        cells.push({
          id: read.id,
          epoch: read.epoch,
          seq: read.seq,
          expiresS: read.expiresS,
          body: frame.slice(read.bodyAt, read.bodyAt + read.bodyBytes),
        });
    }
    out.push(
      read.refusal === null
        ? { partition: read.partition, cells }
        : { partition: read.partition, refusal: read.refusal },
    );
  }
  return out;
}

describe('GET replies', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(replySection, { maxLength: 6 }), (of) => expect(walkedReply(reply(of))).toEqual(of)),
    );
  });

  it('give nothing but MALFORMED, or the error they tell, however they are damaged', () => {
    fc.assert(
      fc.property(
        fc.array(replySection, { maxLength: 4 }),
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

  it('are full after a mebibyte, and hold the largest cell then', () => {
    const builder = new GetReplyBuilder();
    builder.start(new GetRequest(request([{ partition: 0, epoch: 0, keys: [] }])));
    builder.beginSection(0);
    const body = new Uint8Array(FRAME_BYTES - 100);
    builder.found(8, 1, 1, 0, body, 0, body.length);
    expect(builder.full).toBe(false);
    builder.found(9, 1, 2, 0, body, 0, body.length);
    expect(builder.full).toBe(true);
    builder.later();
    builder.endSection();
    const [only] = walkedReply(builder.finish());
    expect('cells' in only! && only.cells.length).toBe(3);
  });

  it('leave bodies out where only ids were asked for', () => {
    const body = new Uint8Array(100);
    const found = { id: 77, epoch: 1, seq: 2, expiresS: 3 };
    const asked = [{ partition: 1, cells: ['absent' as const, { ...found, body }] }];
    expect(walkedReply(reply(asked, true))).toEqual([
      { partition: 1, cells: ['absent', { ...found, body: new Uint8Array(0) }] },
    ]);
    expect(reply(asked, true).length).toBe(reply(asked).length - 100);
  });

  it('are refused with an id that no cell can have', () => {
    const body = new Uint8Array(0);
    const frame = reply([{ partition: 1, cells: [{ id: CELL_ID_LIMIT, epoch: 1, seq: 2, expiresS: 3, body }] }]);
    expect(() => walkedReply(frame)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('forget a section that is abandoned', () => {
    const builder = new GetReplyBuilder();
    builder.start(new GetRequest(request([{ partition: 5, epoch: 0, keys: [] }])));
    builder.beginSection(5);
    builder.absent();
    const refusal = { code: 'PARTITION_DAMAGED' as const, message: 'x', retryAfterMs: 0 };
    builder.abandonSection(5, refusal);
    expect(walkedReply(builder.finish())).toEqual([{ partition: 5, refusal }]);
  });
});
