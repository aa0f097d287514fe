import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import fc from 'fast-check';
import {
  formatLabel,
  HALF_RECEIVED_MAX,
  parseLabel,
  PART_BYTES,
  PART_TIMEOUT_MS,
  PartAssembler,
  partCount,
} from './part-assembler.ts';

const MiB = 1024 * 1024;

/** The parts of a message whose bytes are all `fill`. */
function parts(message: string, totalBytes: number, fill = 1): [ReturnType<typeof label>, Uint8Array][] {
  return Array.from({ length: partCount(totalBytes) }, (_, index) => [
    label(message, index, totalBytes),
    new Uint8Array(Math.min(PART_BYTES, totalBytes - index * PART_BYTES)).fill(fill),
  ]);
}

function label(
  message: string,
  index: number,
  totalBytes: number,
): { message: string; index: number; totalBytes: number } {
  return { message, index, totalBytes };
}

describe('labels', () => {
  it('are read as they were written', () => {
    const made = label('abc-1z', 2, 3 * MiB);
    expect(parseLabel(formatLabel(made))).toEqual(made);
  });

  it('of messages that cannot be are refused', () => {
    for (const text of [
      '',
      'a',
      'a 0',
      'a 0 1',
      `a 0 ${MiB}`,
      `a 2 ${MiB + 1}`,
      `a 0 ${8 * MiB + 1}`,
      'a -1 2000000',
      'a b 0 2000000',
    ])
      expect(parseLabel(text)).toBeNull();
    expect(parseLabel(`a 0 ${8 * MiB}`)).not.toBeNull();
  });
});

describe('PartAssembler', () => {
  it('puts together messages whose parts come mixed', () => {
    const assembler = new PartAssembler(new ManualClock());
    const [a, b] = [parts('a', 2 * MiB + 5, 1), parts('b', 3 * MiB, 2)];
    const order = [a[0]!, b[0]!, b[1]!, a[1]!, a[2]!, b[2]!];
    const whole = order.map(([of, bytes]) => assembler.take(of, bytes)).filter((message) => message !== null);
    expect(whole.map((message) => [message.length, message[0], message.at(-1)])).toEqual([
      [2 * MiB + 5, 1, 1],
      [3 * MiB, 2, 2],
    ]);
    expect([assembler.pending, assembler.pendingBytes]).toEqual([0, 0]);
  });

  it('drops a message of which a part is missing, doubled or of the wrong length', () => {
    for (const broken of [[0, 2], [1], [0, 0, 2], [2, 1, 0]]) {
      const assembler = new PartAssembler(new ManualClock());
      const all = parts('a', 3 * MiB);
      expect(() => broken.forEach((i) => assembler.take(all[i]![0], all[i]![1]))).toThrow(
        expect.objectContaining({ code: 'UNAVAILABLE' }),
      );
    }
    const assembler = new PartAssembler(new ManualClock());
    expect(() => assembler.take(label('a', 0, 3 * MiB), new Uint8Array(7))).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE' }),
    );
    expect([assembler.pending, assembler.pendingBytes]).toEqual([0, 0]);
  });

  it('says BUSY beyond its bounds of messages and bytes', () => {
    const assembler = new PartAssembler(new ManualClock());
    const begin = (message: string, totalBytes: number): unknown =>
      assembler.take(label(message, 0, totalBytes), new Uint8Array(PART_BYTES));
    for (let i = 0; i < 8; i++) begin(`a${i}`, 8 * MiB);
    expect(() => begin('one too many', 2 * MiB)).toThrow(expect.objectContaining({ code: 'BUSY' }));
    assembler.clear();
    expect(assembler.pendingBytes).toBe(0);
    const small = new PartAssembler(new ManualClock());
    for (let i = 0; i < 32; i++) small.take(label(`a${i}`, 0, 2 * MiB), new Uint8Array(PART_BYTES));
    expect(() => small.take(label('b', 0, 2 * MiB), new Uint8Array(PART_BYTES))).toThrow(
      expect.objectContaining({ code: 'BUSY' }),
    );
    expect(small.pending).toBeLessThanOrEqual(HALF_RECEIVED_MAX);
  });

  it('forgets what is not continued in time, and begins anew with a repeated first part', () => {
    const clock = new ManualClock();
    const assembler = new PartAssembler(clock);
    const all = parts('a', 3 * MiB);
    assembler.take(...all[0]!);
    clock.advance(PART_TIMEOUT_MS - 1);
    assembler.take(...all[1]!);
    clock.advance(PART_TIMEOUT_MS - 1);
    expect(assembler.pending).toBe(1);
    clock.advance(1);
    expect([assembler.pending, assembler.pendingBytes]).toEqual([0, 0]);
    for (const part of [all[0]!, all[1]!, all[0]!, all[1]!]) expect(assembler.take(...part)).toBeNull();
    expect(assembler.take(...all[2]!)?.length).toBe(3 * MiB);
  });

  it('keeps its books whatever comes', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(2), fc.constantFrom(MiB + 1, 2 * MiB, 3 * MiB));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const assembler = new PartAssembler(new ManualClock());
        for (const [message, index, totalBytes] of steps) {
          const length = Math.max(0, Math.min(PART_BYTES, totalBytes - index * PART_BYTES));
          try {
            assembler.take(label(message, index, totalBytes), new Uint8Array(length));
          } catch (error) {
            expect(error).toMatchObject({ code: 'UNAVAILABLE' });
          }
          expect(assembler.pending).toBeLessThanOrEqual(3);
          expect(assembler.pendingBytes).toBeLessThanOrEqual(assembler.pending * 3 * MiB);
        }
        assembler.clear();
        expect(assembler.pendingBytes).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
