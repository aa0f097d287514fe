import { describe, expect, it } from '@jest/globals';
import { isNiobeError } from '@niobe/kernel';
import { TestPartition } from '../../test/harness.ts';

const OUT = 'edge.follows.out';

/** A partition whose vertices all follow each other. */
function crowd(
  people: number,
  partition: TestPartition = new TestPartition(),
): { partition: TestPartition; ids: number[] } {
  const ids: number[] = [];
  partition.batch(() => {
    for (let key = 0; key < people; key++) ids.push(partition.person(key));
  });
  partition.batch(() => {
    for (const own of ids) partition.link(OUT, own, ids);
  });
  return { partition, ids };
}

describe('the neighbour reader', () => {
  it('walks one list after another, each neighbour once', () => {
    const { partition, ids } = crowd(30);
    for (const own of ids) expect(partition.neighbours(OUT, own).toSorted((a, b) => a - b)).toEqual(ids);
    expect(partition.neighbours('edge.follows.in', ids[0]!)).toEqual([]);
  });

  it('gives the latest first', () => {
    const { partition, ids } = crowd(30);
    partition.batch(() => partition.link(OUT, ids[0]!, [1_000_000]));
    expect(partition.neighbours(OUT, ids[0]!)[0]).toBe(1_000_000);
  });

  it('goes on with the list as it was where it is written, merged and cleaned meanwhile, or says that it cannot', () => {
    const { partition, ids } = crowd(1, new TestPartition(0, true));
    const own = ids[0]!;
    const linked: number[] = [];
    const link = (): void => {
      const first = linked.length;
      for (let i = 0; i < 19; i++) linked.push(first + i);
      partition.batch(() => partition.link(OUT, own, linked.slice(first)));
    };
    let gone = 0;
    for (let round = 0; round < 12; round++) {
      link();
      partition.batch(() => partition.link(OUT, own, [linked.push(linked.length) - 1]));
      const before = [...linked];
      const walk = partition.walk(OUT, own);
      const found = round % 2 === 0 ? [] : [...walk.next().value!];
      for (let more = [0, 1, 3, 9][round % 4]!; more > 0; more--) link();
      partition.churn();
      try {
        for (const part of walk) found.push(...part);
        expect(found.toSorted((a, b) => a - b)).toEqual(before);
      } catch (error) {
        if (!isNiobeError(error, 'DAMAGED')) throw error;
        gone += 1;
      }
    }
    expect(gone).toBeGreaterThan(0);
    expect(gone).toBeLessThan(8);
  });

  it('says where a list is not what its degree says', () => {
    for (const [degree, chunk] of [
      [3, null],
      [1, null],
      [3, 12_345],
    ] as const) {
      const { partition, ids } = crowd(1);
      partition.batch(() => partition.merge(OUT, ids[0]!, { degree, chunk, refs: [5, 6] }));
      const walk = (): unknown => partition.neighbours(OUT, ids[0]!);
      expect(codeOf(walk)).toBe('DAMAGED');
    }
  });

  it('ends also where chunks name each other in a circle', () => {
    const { partition, ids } = crowd(40);
    partition.loopChunks();
    expect(codeOf(() => partition.neighbours(OUT, ids[0]!))).toBe('DAMAGED');
  });
});

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return isNiobeError(error) ? error.code : String(error);
  }
}
