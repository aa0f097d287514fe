import { describe, expect, it } from '@jest/globals';
import {
  encodeScalar,
  SchemaTable,
  type CellRecord,
  type Clause,
  type ClauseOperator,
  type ScalarValue,
} from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { MIB, newRig, optionsOf, Subject, type Rig } from '../../test/harness.ts';
import { offer, OFFER_INDEXES, offers } from '../../test/indexed.ts';
import { Arena } from '../arena.ts';
import { SCAN_END } from '../cell-reader.ts';
import { PartitionStore } from '../partition-store.ts';

/**
 * Whatever happens to a partition, its indexes say what a full scan says: batches, rollbacks, time, cleaning, new revisions, slices of
 * building, crashes.
 */

const KEYS = 40;
const FIRST = offers(1);

type Step =
  | { readonly do: 'batch'; readonly puts: readonly Put[]; readonly rollsBack: boolean }
  | { readonly do: 'clean' | 'ship' | 'advance' | 'build'; readonly amount: number }
  | { readonly do: 'revise'; readonly indexes: readonly string[] }
  | { readonly do: 'crash' };

/** A null record is a delete. */
interface Put {
  readonly key: number;
  readonly record: CellRecord | null;
  readonly ttlS: number;
}

const prices = fc.constantFrom(null, -3, 0, 1, 2, 2, 2, 3, 1000);
const scores = fc.constantFrom(null, NaN, -0, 0, 1.5, -1.5, Infinity, -Infinity, 1e300);
const stocks = fc.constantFrom(null, 0, 7, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 60n), 2n ** 60n + 1n, 2n ** 60n);
const titles = fc.constantFrom(
  null,
  '',
  'a',
  'prefix',
  'prefix ',
  'prefix a',
  'prefix ab',
  'prefix b',
  'prefiy',
  '\u0000',
  'ö',
  '😀',
);
const sizeLists = fc.option(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }));
const tagLists = fc.option(
  fc.array(fc.constantFrom('red', 'common tag a', 'common tag b', 'common tag c', ''), { maxLength: 4 }),
);

const records = fc.record({
  price: prices,
  score: scores,
  stock: stocks,
  title: titles,
  sizes: sizeLists,
  tags: tagLists,
  blob: fc.constantFrom(null, null, new Uint8Array(60_000), new Uint8Array(250_000)),
});

const puts: fc.Arbitrary<Put> = fc.record({
  key: fc.nat(KEYS - 1),
  record: fc.option(records, { freq: 4 }),
  ttlS: fc.constantFrom(0, 0, 0, 5, 60),
});

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      puts: fc.array(puts, { minLength: 1, maxLength: 12 }),
      rollsBack: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('clean' as const), amount: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ship' as const), amount: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), amount: fc.constantFrom(1, 6, 61) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('build' as const), amount: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('revise' as const), indexes: fc.subarray(Object.keys(OFFER_INDEXES)) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

const operators: fc.Arbitrary<ClauseOperator> = fc.constantFrom('eq', 'eq', 'ne', 'lt', 'le', 'gt', 'ge');
const notNull = <T>(values: fc.Arbitrary<T | null>): fc.Arbitrary<T> =>
  values.filter((value) => value !== null) as fc.Arbitrary<T>;
const clauseOf = (
  field: string,
  op: fc.Arbitrary<ClauseOperator>,
  values: fc.Arbitrary<ScalarValue>,
): fc.Arbitrary<Clause> => {
  const declared = FIRST.field(field);
  return fc.record({
    field: fc.constant(declared.index),
    op,
    value: values.map((value) => encodeScalar(declared, value)),
  });
};
const clauses = fc.oneof(
  clauseOf('price', operators, notNull(prices)),
  clauseOf('score', operators, notNull(scores)),
  clauseOf('stock', operators, notNull(stocks)),
  clauseOf('title', fc.oneof(operators, fc.constant('prefix' as const)), notNull(titles)),
  clauseOf('sizes', fc.constant('has'), fc.integer({ min: 0, max: 4 })),
  clauseOf('tags', fc.constant('has'), fc.constantFrom('red', 'common tag a', 'common tag b', 'nowhere')),
  fc.constantFrom(0, 1, 4, 5).map((field): Clause => ({ field, op: 'null', value: new Uint8Array(0) })),
);
const questions = fc.array(fc.array(clauses, { minLength: 1, maxLength: 3 }), { minLength: 12, maxLength: 12 });

class Trial {
  #rig: Rig;
  #epoch = 1;
  #revision = 1;
  readonly #questions: readonly (readonly Clause[])[];
  #asked = 0;
  readonly met: Record<string, number> = {
    byIndex: 0,
    byScan: 0,
    building: 0,
    crashes: 0,
    rolledBack: 0,
    full: 0,
    moved: 0,
    expired: 0,
    matches: 0,
  };

  constructor(asked: readonly (readonly Clause[])[]) {
    const schemas = new SchemaTable();
    schemas.add(FIRST);
    this.#rig = newRig({ arenaBytes: 16 * MIB, partial: { schemas } });
    this.#questions = asked;
    this.#addBallast();
  }

  /** Leaves 3 MiB beside the reserve, after a crash what the copies need: so segments are cleaned all the time. */
  #addBallast(): void {
    for (const bytes of [4 * MIB, MIB]) this.#rig.arena.open(999, bytes, 'write', 0);
  }

  take(step: Step): void {
    const { clock, subject, backup } = this.#rig;
    switch (step.do) {
      case 'batch':
        this.#batch(step.puts, step.rollsBack);
        break;
      case 'clean':
        for (let i = 0; i < step.amount; i++) subject.store.clean(1);
        break;
      case 'ship':
        backup.ship(step.amount);
        break;
      case 'advance':
        clock.advance(step.amount * 1000);
        break;
      case 'build':
        for (let i = 0; i < step.amount; i++) subject.store.indexes.build(0);
        break;
      case 'revise':
        this.#revision += 1;
        subject.schemas.add(offers(this.#revision, step.indexes));
        break;
      default:
        this.#crash();
    }
    this.#ask();
  }

  #batch(sequence: readonly Put[], rollsBack: boolean): void {
    const { subject } = this.#rig;
    subject.store.begin();
    try {
      for (const put of sequence) this.#put(put);
      // A batch sees its own writes by index too.
      this.#ask();
      if (rollsBack) {
        subject.store.rollback();
        this.met['rolledBack']! += 1;
      } else {
        subject.store.commit();
      }
    } catch (error) {
      if (!isNiobeError(error, 'STORE_FULL')) throw error;
      this.met['full']! += 1;
      subject.store.rollback();
    }
  }

  #put({ key, record, ttlS }: Put): void {
    const { clock, subject } = this.#rig;
    const expiresS = ttlS === 0 ? 0 : Math.floor(clock.nowMs() / 1000) + ttlS;
    if (record === null) subject.delete(FIRST, key);
    else subject.put(FIRST, key, offer(record), expiresS);
  }

  #crash(): void {
    const { backup, clock, subject } = this.#rig;
    this.#count();
    this.met['crashes']! += 1;
    this.#epoch += 1;
    const segments = backup.segments();
    subject.store.close();
    backup.crash();
    const arena = new Arena({ bytes: 16 * MIB });
    const schemas = new SchemaTable();
    const store = PartitionStore.recover({ ...optionsOf(arena, clock, backup, this.#epoch), schemas }, segments);
    backup.store = store;
    this.#rig = { clock, arena, backup, subject: new Subject(store, schemas) };
    this.#addBallast();
    store.audit();
    // The log has the newest revision that cells were written in; another may come after.
    this.#revision += 1;
    schemas.add(offers(this.#revision, Object.keys(OFFER_INDEXES)));
  }

  #ask(): void {
    this.#askScan(this.#questions[this.#asked++ % this.#questions.length]!);
    this.#askScan(this.#questions[this.#asked++ % this.#questions.length]!);
    this.#askOrder();
  }

  #askScan(asked: readonly Clause[]): void {
    const { store } = this.#rig.subject;
    const predicate = FIRST.compilePredicate(asked);
    const plan = store.indexes.plan(FIRST.id, asked);
    this.met[plan.access === null ? 'byScan' : 'byIndex']! += 1;
    if (plan.explain.text.endsWith('is being built')) this.met['building']! += 1;
    const expected: number[] = [];
    store.scan(FIRST.id, predicate, 0, Infinity, Infinity, (slot) => expected.push(slot));
    const found: number[] = [];
    for (let cursor = 0; cursor !== SCAN_END;) {
      cursor = store.indexes.scan(plan, predicate, cursor, 100_000, 1000, (slot) => found.push(slot));
    }
    expect(found).toEqual(expected);
    this.met['matches']! += found.length;
  }

  /** Prices, and slots where prices are equal, ascend in the order of the index; so do they downwards. */
  #askOrder(): void {
    const { subject } = this.#rig;
    const { store } = subject;
    const isThere = store.indexes.report().some(({ name, isComplete }) => name === 'by_price' && isComplete);
    if (!isThere) return;
    const priced: { slot: number; price: number }[] = [];
    store.scan(FIRST.id, null, 0, Infinity, Infinity, (slot) => {
      const { price } = subject.recordOf(FIRST, slot);
      if (price !== null) priced.push({ slot, price: price as number });
    });
    priced.sort((a, b) => a.price - b.price || a.slot - b.slot);
    for (const descending of [false, true]) {
      const found: number[] = [];
      store.indexes.range(FIRST.id, 'by_price', { limit: 10, descending }, (slot) => found.push(slot));
      const order = priced.map(({ slot }) => slot);
      expect(found).toEqual((descending ? order.toReversed() : order).slice(0, 10));
    }
  }

  #count(): void {
    const { store } = this.#rig.subject;
    this.met['moved']! += store.counts.movedBytes;
    this.met['expired']! += store.counts.expiredCells;
  }

  finish(): void {
    const { store } = this.#rig.subject;
    while (store.indexes.build(0));
    store.audit();
    for (let i = 0; i < this.#questions.length; i++) this.#ask();
    this.#count();
    this.#crash();
    while (this.#rig.subject.store.indexes.build(0));
    for (let i = 0; i < this.#questions.length; i++) this.#ask();
    this.#rig.subject.store.audit();
  }
}

describe('secondary indexes', () => {
  it('say what a full scan says, whatever happens', () => {
    const met: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(steps, { minLength: 10, maxLength: 100, size: 'max' }), questions, (sequence, asked) => {
        const trial = new Trial(asked);
        for (const step of sequence) trial.take(step);
        trial.finish();
        for (const [name, count] of Object.entries(trial.met)) met[name] = (met[name] ?? 0) + count;
      }),
      { numRuns: 12 },
    );
    // A trial that never met these would prove nothing about them.
    expect(Object.entries(met).filter(([, count]) => count === 0)).toEqual([]);
  }, 180_000);
});
