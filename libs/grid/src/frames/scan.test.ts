import { describe, expect, it } from '@jest/globals';
import { CELL_ID_LIMIT } from '@niobe/cells';
import { isNiobeError, type ErrorCode } from '@niobe/kernel';
import fc from 'fast-check';
import { ScanReply, ScanReplyBuilder, ScanRequest, scanFrame } from './scan.ts';

const position = fc.record({
  partition: fc.nat(4095),
  epoch: fc.nat(0xfffff),
  cursor: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
});
const wish = fc.record({
  schemaId: fc.nat(0xffff),
  clauses: fc.uint8Array({ maxLength: 50 }),
  limitBytes: fc.nat(1024 * 1024),
});

describe('SCAN requests', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(wish, fc.array(position, { maxLength: 70 }), (wanted, positions) => {
        const read = new ScanRequest(scanFrame(3, wanted, positions));
        expect({ schemaId: read.schemaId, clauses: read.clauses, limitBytes: read.limitBytes }).toEqual(wanted);
        const got = [];
        while (read.nextSection()) got.push({ partition: read.partition, epoch: read.epoch, cursor: read.cursor });
        expect(got).toEqual(positions);
      }),
    );
  });

  it('give nothing but MALFORMED however they are damaged', () => {
    fc.assert(
      fc.property(wish, fc.array(position, { maxLength: 5 }), fc.nat(), fc.nat(255), (wanted, positions, at, byte) => {
        const frame = scanFrame(3, wanted, positions);
        frame[at % frame.length] = byte;
        try {
          const read = new ScanRequest(frame);
          while (read.nextSection()) expect(read.cursor).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
        } catch (error) {
          expect(isNiobeError(error, 'MALFORMED')).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

const row = fc.record({
  id: fc.integer({ min: 0, max: CELL_ID_LIMIT - 1 }),
  epoch: fc.nat(0xfffff),
  seq: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
  expiresS: fc.nat(),
  key: fc.uint8Array({ maxLength: 30 }),
  body: fc.uint8Array({ maxLength: 100 }),
});
const page = fc.oneof(
  fc.record({
    partition: fc.nat(4095),
    next: fc.option(fc.integer({ min: 0, max: 2 ** 32 })),
    rows: fc.array(row, { maxLength: 8 }),
  }),
  fc.record({
    partition: fc.nat(4095),
    refusal: fc.record({
      code: fc.constant<ErrorCode>('NOT_PRIMARY'),
      message: fc.string({ maxLength: 30 }),
      retryAfterMs: fc.nat(99),
    }),
  }),
);
type Page = typeof page extends fc.Arbitrary<infer P> ? P : never;

function reply(of: readonly Page[]): Uint8Array {
  const builder = new ScanReplyBuilder();
  const positions = of.map(({ partition }) => ({ partition, epoch: 0, cursor: 0 }));
  builder.start(new ScanRequest(scanFrame(0, { schemaId: 1, clauses: new Uint8Array(1), limitBytes: 1 }, positions)));
  for (const made of of) {
    if ('refusal' in made) {
      builder.refuse(made.partition, made.refusal);
      continue;
    }
    builder.beginSection(made.partition);
    for (const { id, epoch, seq, expiresS, key, body } of made.rows) {
      const bytes = Uint8Array.of(...body, ...key);
      builder.row(id, epoch, seq, expiresS, bytes, body.length, key.length, 0, body.length);
    }
    builder.endSection(made.next);
  }
  return builder.finish();
}

function walkedReply(frame: Uint8Array, rowsEach = Infinity): Page[] {
  const read = new ScanReply(frame);
  const out: Page[] = [];
  while (read.nextSection()) {
    const rows = [];
    while (rows.length < rowsEach && read.nextRow())
      rows.push({
        id: read.id,
        epoch: read.epoch,
        seq: read.seq,
        expiresS: read.expiresS,
        key: frame.slice(read.keyAt, read.keyAt + read.keyBytes),
        body: frame.slice(read.bodyAt, read.bodyAt + read.bodyBytes),
      });
    if (read.refusal !== null) out.push({ partition: read.partition, refusal: read.refusal });
    else out.push({ partition: read.partition, next: read.done ? null : read.nextCursor, rows });
  }
  return out;
}

describe('SCAN replies', () => {
  it('are read as they were written', () => {
    fc.assert(fc.property(fc.array(page, { maxLength: 6 }), (of) => expect(walkedReply(reply(of))).toEqual(of)));
  });

  it('may be walked without all of their rows', () => {
    fc.assert(
      fc.property(fc.array(page, { maxLength: 6 }), fc.nat(3), (of, rowsEach) => {
        const partitions = walkedReply(reply(of), rowsEach).map(({ partition }) => partition);
        expect(partitions).toEqual(of.map(({ partition }) => partition));
      }),
    );
  });

  it('give nothing but a NiobeError however they are damaged', () => {
    fc.assert(
      fc.property(
        fc.array(page, { maxLength: 4 }),
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
