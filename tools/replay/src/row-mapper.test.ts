import { describe, expect, it } from '@jest/globals';
import { parseMapping } from './mapping.ts';
import { RowMapper, type DeclaredEvent } from './row-mapper.ts';

const HEADER = ['order', 'kind', 'when', 'amount', 'count', 'who'];
const events: DeclaredEvent[] = [
  {
    type: 'sale',
    fields: { amount: { type: 'decimal' }, count: { type: 'i64' }, who: { type: 'text', optional: true } },
  },
  { type: 'refund', fields: { amount: { type: 'decimal' } } },
];
const json = {
  source: 'test',
  counters: { line: 'order' },
  id: '{order}/{line}',
  type: [
    { column: 'kind', equals: 'x', type: 'refund' },
    { column: 'kind', startsWith: 's', type: 'sale' },
  ],
  time: { column: 'when', format: 'dd.MM.yyyy HH:mm' },
  data: { amount: 'amount', count: 'count', who: 'who' },
};

const mapper = (): RowMapper => new RowMapper(parseMapping(json), HEADER, events);

describe('RowMapper', () => {
  it('makes an event of a row, with the fields its type declares', () => {
    expect(mapper().map(['7', 'sale', '24.12.2011 18:05', '1.50', '-3', 'me'])).toEqual({
      id: '7/1',
      source: 'test',
      type: 'sale',
      time: '2011-12-24T18:05:00.000Z',
      data: { amount: '1.50', count: -3, who: 'me' },
    });
    expect(mapper().map(['7', 'x', '24.12.2011 18:05', '1.50', '', ''])).toMatchObject({
      type: 'refund',
      data: { amount: '1.50' },
    });
  });

  it('leaves out an optional field whose column is empty', () => {
    const mapped = mapper().map(['7', 's', '24.12.2011 18:05', '1', '2', '']);
    expect(mapped).toMatchObject({ data: { amount: '1', count: 2 } });
    expect(Object.keys((mapped as { data: object }).data)).not.toContain('who');
  });

  it('counts the rows with one value in file order, skipped ones too', () => {
    const rows = mapper();
    const idOf = (order: string): unknown =>
      (rows.map([order, 's', '01.01.2020 00:00', '1', '1', '']) as { id: string }).id;
    expect([idOf('a'), idOf('b'), idOf('a')]).toEqual(['a/1', 'b/1', 'a/2']);
    rows.skip(['b', '', '', '', '', '']);
    expect(idOf('b')).toBe('b/3');
  });

  it.each([
    [['7', 's', '24.12.2011 18:05', '1,50', '1', ''], 'amount: "1,50" is no decimal'],
    [['7', 's', '24.12.2011 18:05', '1', '', ''], 'count: "" is no i64'],
    [['7', 's', '24.12.2011 18:05', '1', '1.0', ''], 'count: "1.0" is no i64'],
    [['7', 's', '30.02.2011 18:05', '1', '1', ''], 'time: "30.02.2011 18:05" does not fit the format'],
    [['7', 's', '2011-12-24', '1', '1', ''], 'time: "2011-12-24" does not fit the format'],
    [['7', 'other', '24.12.2011 18:05', '1', '1', ''], 'no rule of the mapping gives it a type'],
    [['7', 's'], '2 columns where the header has 6'],
  ])('refuses %j', (row, reason) => {
    expect(mapper().map(row)).toEqual({ reason });
  });

  it('lists everything in a mapping that does not fit the file or the deployment', () => {
    const wrong = parseMapping({
      ...json,
      id: '{nothing}',
      type: [{ type: 'sale' }, { type: 'gift' }],
      data: { amount: 'amout', extra: 'who' },
    });
    expect(() => new RowMapper(wrong, HEADER, events)).toThrow(
      [
        'the mapping does not fit:',
        'id: no column nothing; the file has order, kind, when, amount, count, who',
        'data.amount: no column amout; the file has order, kind, when, amount, count, who',
        'data.count: missing; sale requires it',
        'type: the deployment declares no event type gift',
        'data.extra: no event type of the mapping has it',
      ].join('\n  '),
    );
  });

  it('lists everything in a mapping that is no mapping', () => {
    expect(() => parseMapping({ source: '', id: 'x', type: 'sale', data: {}, separator: ';;', colour: 1 })).toThrow(
      /separator: one character.*\n  source: .*\n.*colour/,
    );
  });
});
