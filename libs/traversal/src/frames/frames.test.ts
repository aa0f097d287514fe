import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter, isNiobeError } from '@niobe/kernel';
import { SECTION_SLOTS_MAX } from '../limits.ts';
import { collectFrame, readCollect, readShare, runningReply, shareReply, type SharePage } from './collect.ts';
import { beginPart, endPart, readPart } from './frontier.ts';
import { SectionReader, SectionWriter } from './slot-sections.ts';
import { readStart, startFrame, type SearchPlan } from './start.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const dense = fc.tuple(
  fc.integer({ min: 0, max: 0xffff_0000 }),
  fc.array(fc.nat(3_000), { minLength: 1, maxLength: 2_000 }),
);
const slotSets = fc.oneof(
  fc.uniqueArray(u32, { minLength: 1, maxLength: 300 }),
  dense.map(([first, offsets]) => [...new Set(offsets)].map((offset) => first + offset)),
);

const PLAN: SearchPlan = {
  task: 2 ** 52 + 5,
  leftMs: 9_000,
  wantsRows: true,
  isCounting: true,
  orderBy: 'level',
  limit: 17,
  budget: { vertices: 5, bytes: 2 ** 40 },
  shards: ['shard-0', 'shard-1'],
  owners: Uint16Array.of(0, 1, 1, 0),
  epochs: Uint32Array.of(4, 5, 6, 7),
  hops: [
    { schemaIds: [16, 17], repeat: 1_000 },
    { schemaIds: [18], repeat: 1 },
  ],
  starts: [1, 2 ** 51],
};

/** Reads anything and may refuse it, by a `NiobeError` alone. */
function readsOrRefuses(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isNiobeError(error)) throw error;
  }
}

/** Frames with bytes changed, cut off or added. */
function broken(...good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(1_000), fc.nat(255)), { maxLength: 4 });
  return fc
    .tuple(fc.constantFrom(...good), changes, fc.integer({ min: -60, max: 20 }))
    .map(([frame, changed, more]) => {
      const bytes = new Uint8Array(Math.max(0, frame.length + more));
      bytes.set(frame.subarray(0, bytes.length));
      for (const [at, value] of changed) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
}

describe('sections', () => {
  const writer = new SectionWriter();
  const sections = new SectionReader();

  it('give back the slots and counts that were written, in order', () => {
    fc.assert(
      fc.property(slotSets, fc.boolean(), (slots, hasCounts) => {
        const counts = slots.map((slot) => (slot % 5_000) + 1);
        const out = new ByteWriter(1024 * 1024);
        const columns = [Uint32Array.from([9, ...slots]), hasCounts ? Uint32Array.from([9, ...counts]) : null] as const;
        writer.write(out, 0x301, columns[0], columns[1], 1, slots.length + 1);
        const reader = new ByteReader(out.finish());
        sections.read(reader);
        reader.end();
        expect(sections.high).toBe(0x301);
        const order = slots.map((_, i) => i).toSorted((a, b) => slots[a]! - slots[b]!);
        expect([...sections.slots.subarray(0, sections.length)]).toEqual(order.map((i) => slots[i]));
        expect([...sections.counts.subarray(0, sections.length)]).toEqual(
          order.map((i) => (hasCounts ? counts[i] : 1)),
        );
      }),
    );
  });

  it('take a byte a slot at most where slots are dense, and a bit where they are side by side', () => {
    const bytesOf = (step: number): number => {
      const out = new ByteWriter(1024 * 1024);
      writer.write(
        out,
        0,
        Uint32Array.from({ length: SECTION_SLOTS_MAX }, (_, i) => i * step),
        null,
        0,
        SECTION_SLOTS_MAX,
      );
      return out.length;
    };
    expect(bytesOf(1)).toBeLessThan(SECTION_SLOTS_MAX / 8 + 20);
    expect(bytesOf(100)).toBeLessThan(SECTION_SLOTS_MAX + 20);
  });

  it('refuse what is none', () => {
    const out = new ByteWriter(1024 * 1024);
    writer.write(out, 7, Uint32Array.of(1, 2, 3, 90), null, 0, 4);
    writer.write(out, 7, Uint32Array.of(1, 2, 3, 4_000_000_000), Uint32Array.of(1, 2, 3, 4), 0, 4);
    fc.assert(
      fc.property(broken(out.finish()), (bytes) => {
        const reader = new ByteReader(bytes);
        readsOrRefuses(() => {
          while (reader.remaining > 0) sections.read(reader);
        });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('frames', () => {
  const share: SharePage = {
    total: 5,
    levels: [1, 4, 2 ** 40],
    rows: [1, 2, 3].map((level) => ({ schemaId: 20, level, count: level * 2, key: Uint8Array.of(level, 7) })),
    rowCount: 3,
  };

  it('give back what was written', () => {
    expect(readStart(startFrame(PLAN))).toEqual(PLAN);
    expect(readCollect(collectFrame(3, 50_000, 12))).toEqual({ waitMs: 1_000, fromRow: 12 });
    expect(readShare(runningReply())).toBeNull();
    expect(readShare(shareReply(share, 0, 1_000))).toEqual(share);
    expect(readShare(shareReply(share, 1, 1))).toEqual({ ...share, rows: [share.rows[1]] });
    expect(readShare(shareReply(share, 9, 1))).toEqual({ ...share, rows: [] });
    const out = new ByteWriter(1_000);
    beginPart(out, 5, 1, 2, 3);
    const totals = { candidates: 1, settled: 2, vertices: 3, bytes: 2 ** 40 };
    expect(readPart(endPart(out, totals))).toMatchObject({
      task: 5,
      sender: 1,
      step: 2,
      part: 3,
      isLast: true,
      totals,
    });
    beginPart(out, 5, 1, 2, 3);
    expect(readPart(endPart(out, null))).toMatchObject({ isLast: false });
  });

  it('are refused where they are none', () => {
    const out = new ByteWriter(1_000);
    beginPart(out, 5, 1, 2, 3);
    const good = [startFrame(PLAN), collectFrame(3, 5, 1), shareReply(share, 0, 1_000), endPart(out, null)];
    fc.assert(
      fc.property(broken(...good), (bytes) => {
        for (const read of [readStart, readCollect, readShare, readPart]) readsOrRefuses(() => read(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});
