import { describe, expect, it } from '@jest/globals';
import { MIB } from '../test/harness.ts';
import { Arena } from './arena.ts';
import { SEGMENT_BYTES_MIN } from './limits.ts';

describe('the arena', () => {
  it('accounts for every byte', () => {
    const arena = new Arena({ bytes: 40 * MIB });
    const segment = arena.open(1, MIB, 'write', 0)!;
    segment.committedBytes = 5000;
    segment.liveBytes = 3000;
    expect(arena.report()).toEqual({
      bytes: 40 * MIB,
      live: 3000,
      dead: MIB - 3000,
      free: 39 * MIB,
      reserve: 8 * MIB,
      retired: 0,
      segments: 1,
    });
    expect(arena.segmentOf(segment.startAddress)).toBe(segment);
    arena.free(segment);
    expect(arena.report()).toMatchObject({ live: 0, dead: 0, free: 40 * MIB });
  });

  it('keeps the reserve from writers, half of it from deletes', () => {
    const arena = new Arena({ bytes: 32 * MIB });
    for (let i = 0; i < 3; i++) expect(arena.open(i, 8 * MIB, 'write', 0)).not.toBeNull();
    expect(arena.open(9, SEGMENT_BYTES_MIN, 'write', 0)).toBeNull();
    expect(arena.open(9, 4 * MIB, 'delete', 0)).not.toBeNull();
    expect(arena.open(9, SEGMENT_BYTES_MIN, 'delete', 0)).toBeNull();
    expect(arena.open(9, 4 * MIB, 'clean', 0)).not.toBeNull();
    expect(arena.open(9, SEGMENT_BYTES_MIN, 'clean', 0)).toBeNull();
  });

  it('feels pressure rise from none to full as memory goes, and less for what is on its way', () => {
    const arena = new Arena({ bytes: 64 * MIB });
    const pressures: number[] = [];
    const segments = Array.from({ length: 14 }, (_, i) => {
      pressures.push(arena.pressure);
      return arena.open(i, 4 * MIB, 'write', 0)!;
    });
    expect(pressures.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
    expect(pressures.every((pressure, i) => i === 0 || pressure >= pressures[i - 1]!)).toBe(true);
    expect(arena.pressure).toBe(1);
    segments[0]!.state = 'sealed';
    arena.retire(segments[0]!);
    expect(arena.pressure).toBeLessThan(1);
    expect([arena.freeBytes, arena.retiredBytes]).toEqual([8 * MIB, 4 * MIB]);
  });

  it('keeps two blocks in reserve where it is large, one where it is small', () => {
    expect(new Arena({ bytes: 512 * MIB }).reserveBytes).toBe(16 * MIB);
    expect(new Arena({ bytes: 128 * MIB }).reserveBytes).toBe(8 * MIB);
    expect(new Arena({ bytes: 512 * MIB, reserveBlocks: 1 }).reserveBytes).toBe(8 * MIB);
  });

  it.each([
    { bytes: 8 * MIB },
    { bytes: NaN },
    { bytes: 64 * MIB, blockBytes: 3 * MIB },
    { bytes: 64 * MIB, blockBytes: 4 * MIB },
  ])('refuses sizes that do not fit each other: %j', (options) => {
    expect(() => new Arena(options)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
  });
});
