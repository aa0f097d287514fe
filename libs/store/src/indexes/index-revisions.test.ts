import { describe, expect, it } from '@jest/globals';
import {
  compileSchema,
  joinRevisions,
  SchemaTable,
  type CellRecord,
  type Clause,
  type CompiledSchema,
  type SchemaDeclaration,
} from '@niobe/cells';
import { newRig, type Subject } from '../../test/harness.ts';
import { SCAN_END } from '../cell-reader.ts';

/** Indexes on paths into records and lists, and on fields that another revision widened or added. */

const FIRST: SchemaDeclaration = {
  name: 'orders',
  key: 'integer',
  fields: {
    amount: { type: 'i32', optional: true },
    state: { type: 'dict', values: ['open', 'closed'], optional: true },
    ref: { type: 'uuid', optional: true },
    to: { type: 'record', optional: true, fields: { city: { type: 'text' }, zip: { type: 'u16' } } },
    lines: { type: 'record', array: true, fields: { product: { type: 'text' }, count: { type: 'u8' } } },
  },
  indexes: {
    by_amount: { on: 'amount', kind: 'sorted' },
    by_state: { on: 'state', kind: 'sorted' },
    by_ref: { on: 'ref', kind: 'hash' },
    by_city: { on: 'to.city', kind: 'sorted' },
    by_product: { on: 'lines.product', kind: 'sorted' },
    by_count: { on: 'lines.count', kind: 'hash' },
  },
};

const SECOND: SchemaDeclaration = {
  ...FIRST,
  fields: { ...FIRST.fields, amount: { type: 'i64', optional: true }, rank: { type: 'u8', default: 7 } },
  indexes: { ...FIRST.indexes, by_rank: { on: 'rank', kind: 'sorted' } },
};

const EMPTY: CellRecord = { amount: null, state: null, ref: null, to: null, lines: [] };

function subjectOf(schema: CompiledSchema): Subject {
  const schemas = new SchemaTable();
  schemas.add(schema);
  return newRig({ partial: { schemas } }).subject;
}

/** Asks by plan; the answer must be that of a full scan, and come by `index`. */
function ask(subject: Subject, schema: CompiledSchema, index: string, clause: Clause): number[] {
  const { store } = subject;
  const plan = store.indexes.plan(schema.id, [clause]);
  expect(plan.explain.index).toBe(index);
  const predicate = schema.compilePredicate([clause]);
  const found: number[] = [];
  const expected: number[] = [];
  const end = store.indexes.scan(plan, predicate, 0, Infinity, Infinity, (slot) => found.push(slot));
  store.scan(schema.id, predicate, 0, Infinity, Infinity, (slot) => expected.push(slot));
  expect([found, end]).toEqual([expected, SCAN_END]);
  return found.map((slot) => subject.keyOf(schema, slot) as number);
}

describe('an index', () => {
  it('is on paths into records and lists of records, on texts of a dict and on uuids', () => {
    const schema = compileSchema(40, 1, FIRST);
    const subject = subjectOf(schema);
    const ref = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
    subject.batch(() => {
      subject.put(schema, 0, { ...EMPTY, to: { city: 'Bern', zip: 3000 }, state: 'open' });
      subject.put(schema, 1, { ...EMPTY, to: { city: 'Basel', zip: 4000 }, state: 'closed', ref });
      subject.put(schema, 2, {
        ...EMPTY,
        lines: [
          { product: 'a longer pear', count: 1 },
          { product: 'a longer fig', count: 2 },
        ],
      });
      subject.put(schema, 3, {
        ...EMPTY,
        lines: [
          { product: 'a longer fig', count: 1 },
          { product: 'a longer fig', count: 1 },
        ],
      });
    });
    expect(ask(subject, schema, 'by_city', schema.path('to.city').clause('prefix', 'B'))).toEqual([0, 1]);
    expect(ask(subject, schema, 'by_city', schema.path('to.city').clause('lt', 'Basem'))).toEqual([1]);
    expect(ask(subject, schema, 'by_state', schema.path('state').clause('eq', 'closed'))).toEqual([1]);
    expect(ask(subject, schema, 'by_state', schema.path('state').clause('lt', 'lost'))).toEqual([1]);
    expect(ask(subject, schema, 'by_ref', schema.path('ref').clause('eq', ref))).toEqual([1]);
    expect(ask(subject, schema, 'by_product', schema.path('lines.product').clause('has', 'a longer fig'))).toEqual([
      2, 3,
    ]);
    expect(ask(subject, schema, 'by_count', schema.path('lines.count').clause('has', 2))).toEqual([2]);
    const order: unknown[] = [];
    subject.store.indexes.range(schema.id, 'by_product', { limit: 9 }, (slot) =>
      order.push(subject.keyOf(schema, slot)),
    );
    expect(order).toEqual([2, 3]);
    subject.store.audit();
  });

  it('reads cells of older revisions as the newest one does', () => {
    const first = compileSchema(40, 1, FIRST);
    const second = compileSchema(40, 2, joinRevisions(FIRST, SECOND));
    const subject = subjectOf(first);
    subject.batch(() => {
      for (let key = 0; key < 300; key++) subject.put(first, key, { ...EMPTY, amount: key - 150 });
    });
    subject.schemas.add(second);
    subject.batch(() => subject.put(second, 300, { ...EMPTY, amount: 2 ** 40, rank: 9 }));
    const widened = second.path('amount').clause('ge', 140);
    expect(subject.store.indexes.plan(40, [widened]).explain.text).toBe('no index: by_amount is being built');
    while (subject.store.indexes.build(1));
    subject.store.audit();
    expect(ask(subject, second, 'by_amount', widened)).toEqual([...Array.from({ length: 10 }, (_, i) => 290 + i), 300]);
    expect(ask(subject, second, 'by_amount', second.path('amount').clause('lt', -145))).toEqual([0, 1, 2, 3, 4]);
    expect(ask(subject, second, 'by_rank', second.path('rank').clause('gt', 7))).toEqual([300]);
    const ranks: unknown[] = [];
    subject.store.indexes.range(40, 'by_rank', { limit: 2 }, (slot) =>
      ranks.push(subject.recordOf(second, slot)['rank']),
    );
    expect(ranks).toEqual([7, 7]);
    // An old cell that is written anew takes its entries along.
    subject.batch(() => subject.put(second, 0, { ...EMPTY, amount: 145, rank: 8 }));
    expect(ask(subject, second, 'by_amount', widened)).toEqual([
      0,
      ...Array.from({ length: 10 }, (_, i) => 290 + i),
      300,
    ]);
    subject.store.audit();
  });
});
