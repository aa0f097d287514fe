import { describe, expect, it } from '@jest/globals';
import { cellIdOf } from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { PARTITIONS, TestPartition } from '../../test/harness.ts';
import { VERTEX_GONE } from './adjacency.ts';

const OUT = 'edge.follows.out';
const VERTICES = 3;

/** Ids as other partitions would give them; a store takes its neighbours as it is told. */
const foreignId = (index: number): number => cellIdOf(index % PARTITIONS, index % 7, index);

type Step =
  | { readonly do: 'link'; readonly vertex: number; readonly ids: readonly number[]; readonly rollsBack: boolean }
  | { readonly do: 'clean' | 'crash' };

/** Few and many, apart and near each other, in order and not. */
const ids: fc.Arbitrary<number[]> = fc
  .record({
    start: fc.nat(20_000),
    count: fc.constantFrom(1, 1, 1, 2, 5, 16, 17, 40, 300, 1500, 8192),
    stride: fc.constantFrom(1, 3, 7919),
  })
  .map(({ start, count, stride }) => Array.from({ length: count }, (_, i) => foreignId((start + i * stride) % 30_000)));

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('link' as const),
      vertex: fc.nat(VERTICES - 1),
      ids,
      rollsBack: fc.constantFrom(false, false, false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('clean' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

/** Lists against plain sets. */
class Trial {
  readonly #partition = new TestPartition();
  readonly #model: Set<number>[] = Array.from({ length: VERTICES }, () => new Set());
  readonly #ids: number[] = [];

  constructor() {
    this.#partition.batch(() => {
      for (let key = 0; key < VERTICES; key++) this.#ids.push(this.#partition.person(key));
    });
  }

  take(step: Step): void {
    if (step.do === 'link') this.#link(step.vertex, step.ids, step.rollsBack);
    else if (step.do === 'crash') this.#partition.crash();
    else for (let i = 0; i < 20; i++) this.#partition.store.clean(1);
  }

  #link(vertex: number, linked: readonly number[], rollsBack: boolean): void {
    const { store } = this.#partition;
    const before = this.#model[vertex]!;
    const after = new Set([...before, ...linked]);
    store.begin();
    expect(this.#partition.link(OUT, this.#ids[vertex]!, linked)).toBe(after.size - before.size);
    if (rollsBack) store.rollback();
    else {
      this.#model[vertex] = after;
      store.commit();
    }
    this.#compare(vertex);
  }

  #compare(vertex: number): void {
    const found = this.#partition.neighbours(OUT, this.#ids[vertex]!);
    const expected = [...this.#model[vertex]!];
    expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
  }

  finish(): void {
    for (let vertex = 0; vertex < VERTICES; vertex++) this.#compare(vertex);
    this.#partition.store.audit();
  }
}

describe('lists of neighbours', () => {
  it('are sets, whatever is linked, rolled back, cleaned and recovered', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 40 }), (script) => {
        const trial = new Trial();
        for (const step of script) trial.take(step);
        trial.finish();
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('have few chunks, whether they grow by one or by many', () => {
    for (const grows of [[1], [17], [1, 1, 1, 900], [8192, 1, 1, 30], [5000]]) {
      const partition = new TestPartition();
      let own = 0;
      partition.batch(() => (own = partition.person(1)));
      let degree = 0;
      for (let round = 0; degree < 14_000; round++) {
        const many = grows[round % grows.length]!;
        const linked = Array.from({ length: many }, (_, i) => foreignId(((degree + i) * 7919) % 65_521));
        partition.batch(() => partition.link(OUT, own, linked));
        degree += many;
        if (round % 211 === 0 || many > 17)
          expect(partition.chunkSizes().length).toBeLessThanOrEqual(12 + degree / 4096);
      }
      expect(partition.neighbours(OUT, own)).toHaveLength(degree);
    }
  }, 60_000);

  it('write 150 bytes at most for each single neighbour, on average', () => {
    const partition = new TestPartition();
    let own = 0;
    partition.batch(() => (own = partition.person(1)));
    const written = (): number => partition.store.segments().reduce((sum, { bytes }) => sum + bytes, 0);
    const before = written();
    partition.batch(() => {
      for (let i = 0; i < 4096; i++) partition.link(OUT, own, [foreignId((i * 7919) % 65_521)]);
    });
    expect((written() - before) / 4096).toBeLessThan(150);
  });

  it('take many at once as one chunk of their size', () => {
    const partition = new TestPartition();
    partition.batch(() => {
      const own = partition.person(1);
      expect(
        partition.link(
          OUT,
          own,
          Array.from({ length: 8192 }, (_, i) => foreignId(i)),
        ),
      ).toBe(8192);
    });
    expect(partition.chunkSizes()).toEqual([8192]);
  });

  it('are not begun for a vertex that is gone', () => {
    const partition = new TestPartition();
    let own = 0;
    partition.batch(() => (own = partition.person(1)));
    partition.batch(() => partition.deletePerson(1));
    partition.batch(() => {
      expect(partition.link(OUT, own, [foreignId(1)])).toBe(VERTEX_GONE);
      const second = partition.person(1);
      expect(second).not.toBe(own);
      expect(partition.link(OUT, own, [foreignId(1)])).toBe(VERTEX_GONE);
      expect(partition.link(OUT, second, [foreignId(1)])).toBe(1);
    });
    expect(partition.neighbours(OUT, own)).toEqual([]);
  });

  it('refuse neighbours in partitions that do not exist, and stay as they were', () => {
    const partition = new TestPartition();
    let own = 0;
    partition.batch(() => (own = partition.person(1)));
    partition.store.begin();
    const refused = (): unknown => partition.link(OUT, own, [foreignId(1), cellIdOf(PARTITIONS, 0, 1)]);
    expect(refused).toThrow('a neighbour in partition 4');
    partition.store.rollback();
    expect(partition.neighbours(OUT, own)).toEqual([]);
  });

  it('leave a batch that is full to be rolled back, and work after it', () => {
    const partition = new TestPartition();
    const people: number[] = [];
    partition.batch(() => {
      for (let key = 0; key < 80; key++) people.push(partition.person(key));
    });
    const many = Array.from({ length: 8192 }, (_, i) => foreignId(i));
    partition.store.begin();
    let refusal: unknown = null;
    try {
      for (const own of people) partition.link(OUT, own, many);
    } catch (error) {
      refusal = error;
    }
    expect(isNiobeError(refusal, 'TOO_LARGE')).toBe(true);
    partition.store.rollback();
    expect(partition.chunkSizes()).toEqual([]);
    partition.batch(() => expect(partition.link(OUT, people[79]!, many)).toBe(8192));
    partition.store.audit();
  });
});
