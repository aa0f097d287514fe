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

  it('frees what a segment has not begun to fill', () => {
    const arena = new Arena({ bytes: 16 * MIB });
    const segment = arena.open(1, 4 * MIB, 'write', 0)!;
    segment.committedBytes = 5 * SEGMENT_BYTES_MIN - 1;
    arena.trim(segment);
    expect([segment.capacityBytes, arena.freeBytes]).toEqual([5 * SEGMENT_BYTES_MIN, 16 * MIB - 5 * SEGMENT_BYTES_MIN]);
    arena.free(segment);
    expect(arena.open(2, 8 * MIB, 'clean', 0)).not.toBeNull();
    expect(arena.open(3, 8 * MIB, 'clean', 0)).not.toBeNull();
  });

  it('clears the emptiest stretch where a larger segment is wanted than there is a part for', () => {
    const arena = new Arena({ bytes: 16 * MIB });
    const segments = Array.from({ length: 64 }, (_, i) => arena.open(i, SEGMENT_BYTES_MIN, 'clean', 0)!);
    for (const segment of segments) Object.assign(segment, { state: 'sealed', committedBytes: 1000, liveBytes: 1000 });
    for (const [i, segment] of segments.entries()) if (i % 2 === 0) arena.free(segment);
    segments[21]!.liveBytes = 0;
    expect(arena.open(99, MIB, 'clean', 0)).toBeNull();
    arena.want(MIB, 'clean');
    const inTheWay = segments.filter((segment) => segment.isInTheWay);
    expect(inTheWay.map(({ number }) => number)).toEqual([21, 23]);
    // What is free there is kept, and counts as free.
    expect(arena.report().free).toBe(8 * MIB);
    expect(arena.freeBytes).toBe(8 * MIB - 2 * SEGMENT_BYTES_MIN);
    for (const segment of inTheWay) arena.free(segment);
    expect(arena.open(99, MIB, 'clean', 0)?.startByte).toBe(segments[20]!.startByte);
  });

  it('does not let writers wait for what survivors hold of the reserve', () => {
    const arena = new Arena({ bytes: 32 * MIB });
    for (let i = 0; i < 5; i++) arena.open(i, 4 * MIB, 'write', 0);
    const survivor = arena.open(9, 2 * MIB, 'clean', 0)!;
    expect(arena.open(10, 4 * MIB, 'write', 0)).toBeNull();
    arena.lend(survivor.capacityBytes);
    expect(arena.open(10, 4 * MIB, 'write', 0)).not.toBeNull();
    survivor.state = 'sealed';
    arena.retire(survivor);
    arena.free(survivor);
    expect(arena.lentBytes).toBe(0);
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
