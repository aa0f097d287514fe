import { describe, expect, it } from '@jest/globals';
import {
  encodeScalar,
  SchemaTable,
  type CellRecord,
  type Clause,
  type ClauseOperator,
  type CompiledSchema,
  type ScalarValue,
} from '@niobe/cells';
import { newRig, recoverFrom, type Rig, type Subject } from '../../test/harness.ts';
import { offer, offers } from '../../test/indexed.ts';
import { SCAN_END } from '../cell-reader.ts';
import type { OrderedRange } from './ordered-walk.ts';

const OFFERS = offers(1);

function rigOf(schema: CompiledSchema = OFFERS): Rig {
  const schemas = new SchemaTable();
  schemas.add(schema);
  return newRig({ partial: { schemas } });
}

function clause(field: string, op: ClauseOperator, value: ScalarValue | null = null): Clause {
  const declared = OFFERS.field(field);
  return { field: declared.index, op, value: value === null ? new Uint8Array(0) : encodeScalar(declared, value) };
}

/** Keys of the cells a scan by plan visits, page by page. */
function scanned(subject: Subject, schema: CompiledSchema, clauses: readonly Clause[], limitBytes = 1000): number[] {
  const keys: number[] = [];
  const predicate = schema.compilePredicate(clauses);
  const { indexes } = subject.store;
  for (let cursor = 0; cursor !== SCAN_END;) {
    cursor = indexes.scan(indexes.plan(schema.id, clauses), predicate, cursor, limitBytes, 1000, (slot) =>
      keys.push(subject.keyOf(schema, slot) as number),
    );
  }
  return keys;
}

function ranged(subject: Subject, index: string, range: Partial<OrderedRange>): number[] {
  const keys: number[] = [];
  subject.store.indexes.range(OFFERS.id, index, { limit: Infinity, ...range }, (slot) =>
    keys.push(subject.keyOf(OFFERS, slot) as number),
  );
  return keys;
}

function bytesOf(field: string, value: ScalarValue): Uint8Array {
  return encodeScalar(OFFERS.field(field), value);
}

function putAll(subject: Subject, records: readonly CellRecord[], schema = OFFERS): void {
  subject.batch(() => {
    for (const [key, record] of records.entries()) subject.put(schema, key, offer(record));
  });
}

const THOUSAND = Array.from({ length: 1000 }, (_, i) => ({
  price: (i * 7) % 1000,
  title: `title ${String((i * 13) % 1000).padStart(4, '0')}`,
}));

describe('a plan', () => {
  it('says which index it uses, and why none', () => {
    const { subject } = rigOf();
    putAll(subject, THOUSAND);
    const why = (...clauses: Clause[]): string => subject.store.indexes.plan(OFFERS.id, clauses).explain.text;
    expect(why(clause('price', 'lt', 10))).toMatch(/^index by_price \(sorted, price\): about \d+ of 1000 cells$/);
    expect(why(clause('title', 'eq', 'title 0500'))).toMatch(/^index (by_title|title_hash) /);
    expect(why(clause('title', 'prefix', 'title 05'))).toMatch(/^index by_title /);
    expect(why(clause('price', 'ge', 100), clause('price', 'lt', 110), clause('title', 'ge', 'title 05'))).toMatch(
      /^index by_price /,
    );
    expect(why()).toBe('no index: there is no clause');
    expect(why(clause('price', 'ne', 3))).toMatch(/^no index: no clause can use by_price, /);
    expect(why(clause('price', 'null'))).toMatch(/^no index: no clause can use /);
    expect(why(clause('price', 'lt', 900))).toMatch(/^no index: by_price gives about \d+ of 1000 cells$/);
    expect(why(clause('price', 'lt', -5))).toBe('index by_price (sorted, price): about 0 of 1000 cells');
  });

  it('needs no predicate where its range says the same', () => {
    const { subject } = rigOf();
    putAll(subject, THOUSAND);
    const isPrecise = (...clauses: Clause[]): boolean | undefined =>
      subject.store.indexes.plan(OFFERS.id, clauses).access?.isPrecise;
    expect(isPrecise(clause('price', 'ge', 3), clause('price', 'lt', 10))).toBe(true);
    expect(isPrecise(clause('title', 'prefix', 'title 05'))).toBe(true);
    expect(isPrecise(clause('title', 'gt', 'title 0990'))).toBe(true);
    // Two bounds on one side, another path, a predicate that an index does not know.
    expect(isPrecise(clause('price', 'lt', 10), clause('price', 'le', 10))).toBe(false);
    expect(isPrecise(clause('price', 'lt', 10), clause('title', 'ge', 'title 05'))).toBe(false);
    expect(isPrecise(clause('price', 'lt', 10), clause('price', 'ne', 4))).toBe(false);
    expect(isPrecise(clause('score', 'lt', 10))).toBe(false);
    expect(isPrecise(clause('sizes', 'has', 1))).toBe(false);
  });

  it('estimates within a factor of two', () => {
    const { subject } = rigOf();
    putAll(subject, THOUSAND);
    for (const matches of [20, 50, 100]) {
      const { cells } = subject.store.indexes.plan(OFFERS.id, [clause('price', 'lt', matches)]).explain;
      expect(cells).toBeGreaterThan(matches / 2);
      expect(cells).toBeLessThan(matches * 2);
    }
  });

  it('of a schema without indexes says so', () => {
    const { subject } = rigOf(offers(1, []));
    expect(subject.store.indexes.plan(OFFERS.id, [clause('price', 'lt', 1)]).explain).toEqual({
      index: null,
      cells: 0,
      text: 'no index: the schema declares none',
    });
    expect(() => subject.store.indexes.plan(99, [])).toThrow(expect.objectContaining({ code: 'NOT_READY' }));
  });
});

describe('a range', () => {
  it('walks up and down, from and to, open and closed, first n', () => {
    const { subject } = rigOf();
    putAll(
      subject,
      [5, 3, 9, 3, 7].map((price) => ({ price })),
    );
    const at = (price: number): Uint8Array => bytesOf('price', price);
    expect(ranged(subject, 'by_price', {})).toEqual([1, 3, 0, 4, 2]);
    expect(ranged(subject, 'by_price', { descending: true })).toEqual([2, 4, 0, 3, 1]);
    expect(ranged(subject, 'by_price', { limit: 2 })).toEqual([1, 3]);
    expect(ranged(subject, 'by_price', { limit: 2, descending: true })).toEqual([2, 4]);
    expect(ranged(subject, 'by_price', { from: at(3), to: at(7) })).toEqual([1, 3, 0, 4]);
    expect(ranged(subject, 'by_price', { from: at(3), fromIsOpen: true, to: at(7), toIsOpen: true })).toEqual([0]);
    expect(ranged(subject, 'by_price', { from: at(7), to: at(3) })).toEqual([]);
    expect(ranged(subject, 'by_price', { from: at(4), to: at(4) })).toEqual([]);
  });

  it('goes through many leaves of an index, up and down, between any bounds', () => {
    const { subject } = rigOf(offers(1, ['by_price']));
    const cells = 1500;
    putAll(
      subject,
      Array.from({ length: cells }, (_, key) => ({ price: (key * 707) % cells })),
      offers(1, ['by_price']),
    );
    const keys = Array.from({ length: cells }, (_, key) => key).toSorted(
      (a, b) => ((a * 707) % cells) - ((b * 707) % cells),
    );
    for (const [from, to] of [
      [0, 1499],
      [3, 4],
      [100, 180],
      [77, 1200],
    ] as const) {
      const bounds = { from: bytesOf('price', from), to: bytesOf('price', to) };
      const expected = keys.slice(from, to + 1);
      expect(ranged(subject, 'by_price', bounds)).toEqual(expected);
      expect(ranged(subject, 'by_price', { ...bounds, descending: true })).toEqual(expected.toReversed());
      expect(ranged(subject, 'by_price', { ...bounds, descending: true, limit: 70 })).toEqual(
        expected.toReversed().slice(0, 70),
      );
    }
  });

  it('orders text by all of it, and finds prefixes', () => {
    const { subject } = rigOf();
    putAll(
      subject,
      ['common prefix b', 'common prefix a', 'common', 'x', '', 'common prefix ab', 'commo'].map((title) => ({
        title,
      })),
    );
    expect(ranged(subject, 'by_title', {})).toEqual([4, 6, 2, 1, 5, 0, 3]);
    expect(ranged(subject, 'by_title', { prefix: bytesOf('title', 'common prefix a') })).toEqual([1, 5]);
    expect(ranged(subject, 'by_title', { prefix: bytesOf('title', 'common'), descending: true, limit: 2 })).toEqual([
      0, 5,
    ]);
    expect(ranged(subject, 'by_title', { prefix: bytesOf('title', '') })).toHaveLength(7);
  });

  it('has no place for null and NaN, and one for both zeros', () => {
    const { subject } = rigOf();
    putAll(subject, [{ score: NaN }, { score: Infinity }, {}, { score: 0 }, { score: -0 }, { score: -Infinity }]);
    expect(ranged(subject, 'by_score', {})).toEqual([5, 3, 4, 1]);
    for (const op of ['eq', 'le', 'ge', 'ne'] as const) {
      for (const value of [0, -0, Infinity, NaN]) {
        const clauses = [clause('score', op, value)];
        expect(scanned(subject, OFFERS, clauses)).toEqual(fullScan(subject, OFFERS, clauses));
      }
    }
  });

  it('keeps integers apart that are one double', () => {
    const { subject } = rigOf();
    putAll(
      subject,
      [2n ** 62n + 1n, 2n ** 62n, 2n ** 62n + 2n, -(2n ** 62n) - 1n, -(2n ** 62n)].map((stock) => ({ stock })),
    );
    expect(ranged(subject, 'by_stock', {})).toEqual([3, 4, 1, 0, 2]);
    expect(ranged(subject, 'by_stock', { from: bytesOf('stock', 2n ** 62n + 1n) })).toEqual([0, 2]);
    expect(scanned(subject, OFFERS, [clause('stock', 'eq', 2n ** 62n + 1n)])).toEqual([0]);
  });

  it('visits a cell with many values once, where it is first met', () => {
    const { subject } = rigOf();
    putAll(subject, [{ sizes: [5, 1, 9, 5] }, { sizes: [4, 4] }, { sizes: [] }, {}, { sizes: [2, 8] }]);
    const at = (size: number): Uint8Array => bytesOf('sizes', size);
    expect(ranged(subject, 'by_sizes', {})).toEqual([0, 4, 1]);
    expect(ranged(subject, 'by_sizes', { descending: true })).toEqual([0, 4, 1]);
    expect(ranged(subject, 'by_sizes', { from: at(2), to: at(5) })).toEqual([4, 1, 0]);
    expect(ranged(subject, 'by_sizes', { from: at(2), to: at(5), descending: true })).toEqual([0, 1, 4]);
    expect(scanned(subject, OFFERS, [clause('sizes', 'has', 4), clause('sizes', 'has', 4)])).toEqual([1]);
    expect(scanned(subject, OFFERS, [clause('sizes', 'has', 5), clause('sizes', 'has', 1)])).toEqual([0]);
  });

  it('may be asked for by what visits another', () => {
    const { subject } = rigOf();
    const prices = Array.from({ length: 600 }, (_, key) => (key * 7) % 600);
    putAll(
      subject,
      prices.map((price) => ({ price })),
    );
    ranged(subject, 'by_price', {});
    const found: number[] = [];
    const inner = { from: bytesOf('price', 100), to: bytesOf('price', 399), limit: Infinity };
    const visited = subject.store.indexes.range(OFFERS.id, 'by_price', { limit: Infinity }, (slot) => {
      found.push(subject.keyOf(OFFERS, slot) as number);
      if (found.length % 300 === 1) expect(ranged(subject, 'by_price', inner)).toHaveLength(300);
    });
    expect(visited).toBe(600);
    expect(found.map((key) => prices[key])).toEqual(Array.from({ length: 600 }, (_, price) => price));
  });

  it('refuses what it cannot walk', () => {
    const { subject } = rigOf();
    putAll(subject, [{ price: 1 }]);
    const refused = expect.objectContaining({ code: 'BAD_REQUEST' });
    expect(() => ranged(subject, 'nothing', {})).toThrow(refused);
    expect(() => ranged(subject, 'title_hash', {})).toThrow(refused);
    expect(() => ranged(subject, 'by_price', { prefix: new Uint8Array(1) })).toThrow(refused);
    expect(() => ranged(subject, 'by_title', { prefix: new Uint8Array(1), from: new Uint8Array(1) })).toThrow(refused);
    expect(() => ranged(subject, 'by_price', { from: new Uint8Array(3) })).toThrow(
      expect.objectContaining({ code: 'SCHEMA_VIOLATION' }),
    );
    expect(() =>
      subject.store.indexes.scan(
        subject.store.indexes.plan(OFFERS.id, [clause('price', 'eq', 1)]),
        null,
        -2,
        1,
        1,
        () => undefined,
      ),
    ).toThrow(refused);
  });

  it('does not visit what has expired', () => {
    const { subject, clock } = rigOf();
    subject.batch(() => {
      for (let key = 0; key < 4; key++) subject.put(OFFERS, key, offer({ price: key }), key % 2 === 0 ? 100 : 0);
    });
    clock.advance(200_000);
    expect(ranged(subject, 'by_price', { limit: 2 })).toEqual([1, 3]);
    expect(scanned(subject, OFFERS, [clause('price', 'ge', 0)])).toEqual([1, 3]);
    while (subject.store.clean(1));
    expect(entriesOf(subject, 'by_price')).toBe(2);
    subject.store.audit();
  });
});

function fullScan(subject: Subject, schema: CompiledSchema, clauses: readonly Clause[]): number[] {
  const keys: number[] = [];
  subject.store.scan(schema.id, schema.compilePredicate(clauses), 0, Infinity, Infinity, (slot) =>
    keys.push(subject.keyOf(schema, slot) as number),
  );
  return keys;
}

function entriesOf(subject: Subject, name: string): number {
  return subject.store.indexes.report().find((index) => index.name === name)!.entries;
}

describe('a batch', () => {
  it('sees its own writes in indexes, and leaves no trace when it is rolled back', () => {
    const { subject } = rigOf();
    putAll(subject, [{ price: 1, tags: ['a', 'b'] }, { price: 2 }, { price: 3 }]);
    const before = subject.store.indexes.report();
    subject.store.begin();
    subject.put(OFFERS, 0, offer({ price: 9, tags: ['b', 'c'] }));
    subject.put(OFFERS, 5, offer({ price: 0, tags: ['z'] }));
    subject.put(OFFERS, 5, offer({ price: 7 }));
    subject.delete(OFFERS, 1);
    expect(ranged(subject, 'by_price', {})).toEqual([2, 5, 0]);
    expect(ranged(subject, 'by_tags', {})).toEqual([0]);
    subject.store.rollback();
    expect(ranged(subject, 'by_price', {})).toEqual([0, 1, 2]);
    expect(scanned(subject, OFFERS, [clause('tags', 'has', 'a')])).toEqual([0]);
    expect(subject.store.indexes.report()).toEqual(before);
    subject.store.audit();
  });
});

describe('a new revision', () => {
  it('builds the indexes it adds in slices, and frees those it drops', () => {
    const rig = rigOf(offers(1, ['by_price', 'by_tags']));
    const { subject } = rig;
    putAll(subject, THOUSAND, offers(1, ['by_price', 'by_tags']));
    subject.schemas.add(offers(2, ['by_price', 'by_title']));
    const clauses = [clause('title', 'lt', 'title 0010')];
    const plan = subject.store.indexes.plan(OFFERS.id, clauses);
    expect(plan.explain.text).toBe('no index: by_title is being built');
    expect(() => ranged(subject, 'by_title', {})).toThrow(expect.objectContaining({ code: 'NOT_READY' }));
    expect(subject.store.indexes.report().map(({ name, entries }) => [name, entries])).toEqual([
      ['by_price', 1000],
      ['by_title', 0],
    ]);
    expect(subject.store.indexes.build(0)).toBe(true);
    // Writes before and behind the place where the build is.
    subject.batch(() => {
      subject.delete(OFFERS, 0);
      subject.put(OFFERS, 1, offer({ title: 'title 0000' }));
      subject.put(OFFERS, 998, offer({ title: 'title 0001' }));
      subject.delete(OFFERS, 999);
      subject.put(OFFERS, 2000, offer({ title: 'title 0002' }));
    });
    let slices = 0;
    for (; subject.store.indexes.build(0); slices++);
    expect(slices).toBeGreaterThan(1);
    subject.store.audit();
    expect(subject.store.indexes.plan(OFFERS.id, clauses).explain.index).toBe('by_title');
    expect(scanned(subject, OFFERS, clauses).toSorted((a, b) => a - b)).toEqual(
      fullScan(subject, OFFERS, clauses).toSorted((a, b) => a - b),
    );
    expect(ranged(subject, 'by_title', {})).toHaveLength(999);
  });

  it('is followed by a plan of the revision before', () => {
    const { subject } = rigOf();
    putAll(subject, THOUSAND);
    const clauses = [clause('price', 'lt', 10)];
    const plan = subject.store.indexes.plan(OFFERS.id, clauses);
    expect(plan.explain.index).toBe('by_price');
    subject.schemas.add(offers(2, []));
    subject.batch(() => subject.put(offers(2, []), 5000, offer({ price: 5 })));
    const keys: unknown[] = [];
    subject.store.indexes.scan(plan, OFFERS.compilePredicate(clauses), 0, Infinity, 1000, (slot) =>
      keys.push(subject.keyOf(OFFERS, slot)),
    );
    expect(keys).toHaveLength(11);
    expect(subject.store.indexes.report()).toEqual([]);
  });
});

describe('a recovery', () => {
  it('builds the indexes of the newest revisions', () => {
    const { subject, backup, clock } = rigOf();
    putAll(subject, THOUSAND);
    backup.ship();
    const before = subject.store.indexes.report();
    const recovered = recoverFrom(backup, clock, 2);
    recovered.subject.store.audit();
    expect(recovered.subject.store.indexes.report().map(({ name, entries }) => [name, entries])).toEqual(
      before.map(({ name, entries }) => [name, entries]),
    );
    expect(ranged(recovered.subject, 'by_price', { limit: 3 })).toEqual(ranged(subject, 'by_price', { limit: 3 }));
  });
});

describe('a scan by index', () => {
  it('gives more cells than it gathers at once, each once', () => {
    const { subject } = rigOf(offers(1, ['by_sizes']));
    const schema = offers(1, ['by_sizes']);
    const cells = 40_000;
    for (let from = 0; from < cells; from += 10_000) {
      subject.batch(() => {
        for (let key = from; key < from + 10_000; key++)
          subject.put(schema, key, offer({ sizes: [(key * 7919) % cells, key % 3] }));
      });
    }
    const clauses = [clause('sizes', 'has', 1)];
    const { indexes } = subject.store;
    const plan = indexes.plan(schema.id, clauses);
    const index = indexes.plan(schema.id, [clause('sizes', 'has', 5)]).access!;
    const keys: number[] = [];
    // A third of the cells is not worth an index to the planner: the range is given to it.
    const access = { index: index.index, range: { from: null, to: null }, isPrecise: false };
    expect(plan.access).toBeNull();
    indexes.scan({ ...plan, access }, null, 0, Infinity, Infinity, (slot) =>
      keys.push(subject.keyOf(schema, slot) as number),
    );
    expect(keys).toEqual(Array.from({ length: cells }, (_, key) => key));
  });
});
