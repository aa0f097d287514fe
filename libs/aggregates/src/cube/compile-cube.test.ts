import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import { isNiobeError } from '@niobe/kernel';
import { ACTIVITY, cubesOf, TOTALS } from '../../fixtures/sales.ts';
import { withGeneration } from './compile-cube.ts';

function problemsOf(...declarations: readonly unknown[]): readonly string[] {
  try {
    cubesOf(...declarations);
    return [];
  } catch (error) {
    if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
    return error.details['problems'] as readonly string[];
  }
}

describe('cubes', () => {
  it('compile to one cell schema for each dimension set', () => {
    const [cube] = cubesOf(ACTIVITY);
    expect(cube!.sets.map(({ schema }) => schema.name)).toEqual(
      [0, 1, 2, 3].map((set) => `cube/activity@${cube!.revision}/${set}`),
    );
    expect(Object.keys(cube!.sets[2]!.schema.fields)).toEqual([
      'pane',
      'product',
      'country',
      'events',
      'revenue',
      'units',
      'cheapest',
      'most',
    ]);
    for (const { schema } of cube!.sets) expect(compileSchema(20, 1, schema).keyType).toBe('text');
    expect(cube!.measures.map(({ name, scale }) => [name, scale])).toContainEqual(['revenue', 3]);
  });

  it('tell every problem with its path', () => {
    const problems = problemsOf(
      { ...ACTIVITY, name: 'Bad Name', by: [['product', 'product'], ['a'], ['a']], keep: '7 days' },
      { ...ACTIVITY, on: ['purchase', 'sale'], by: [['colour'], ['order']], measures: { spread: { sum: 'product' } } },
      { ...TOTALS, keep: '7d' },
      { ...ACTIVITY, measures: { product: 'count', both: { sum: ['price', 'quantity', 'price'] } } },
      { ...ACTIVITY, extra: true },
    ).join('\n');
    for (const expected of [
      /^cubes\/0.json.name: is no cube name/m,
      /^cubes\/0.json.by\[0\]: names a dimension twice/m,
      /^cubes\/0.json.by: declares the same set of dimensions twice/m,
      /^cubes\/0.json.keep: is neither/m,
      /^cubes\/1.json.by\[1\]\[0\]: is a word of the query/m,
      /^cubes\/2.json.keep: must be "forever" where the window is "all"/m,
      /^cubes\/3.json.measures.both: is one of/m,
      /^cubes\/4.json: .*extra/m,
    ])
      expect(problems).toMatch(expected);
    const between = problemsOf(
      { ...ACTIVITY, on: ['purchase', 'sale'], by: [['colour'], []], measures: { spread: { sum: 'product' } } },
      { ...ACTIVITY },
      { ...ACTIVITY, measures: { product: 'count' } },
    ).join('\n');
    for (const expected of [
      /^cubes\/0.json.on\[1\]: no event type "sale" is declared; there are purchase, view/m,
      /^cubes\/0.json.by\[0\]\[0\]: no event type of this cube has a field "colour"; there are product, country/m,
      /^cubes\/0.json.measures.spread.sum: "product" is text; exact sums need integers or decimals/m,
      /^cubes\/1.json.name: "activity" is declared in cubes\/0.json too/m,
      /^cubes\/2.json.measures: gives a measure the name of a dimension/m,
    ])
      expect(between).toMatch(expected);
  });

  it('have a revision that follows the meaning and not the spelling', () => {
    const revision = (declaration: object): string => cubesOf(declaration)[0]!.revision;
    const same = { ...ACTIVITY, on: ['view', 'purchase'] };
    expect(revision(same)).toBe(revision(ACTIVITY));
    const others = [
      { ...ACTIVITY, window: '1m' },
      { ...ACTIVITY, keep: '7d' },
      { ...ACTIVITY, on: ['purchase'] },
      { ...ACTIVITY, by: ACTIVITY.by.toReversed() },
      { ...ACTIVITY, measures: { ...ACTIVITY.measures, units: { max: 'quantity' } } },
    ];
    expect(new Set([ACTIVITY, ...others].map(revision)).size).toBe(others.length + 1);
  });

  it('get schemas of their own for each generation', () => {
    const [cube] = cubesOf(ACTIVITY);
    expect(withGeneration(cube!, 1)).toEqual(cube);
    const third = withGeneration(withGeneration(cube!, 2), 3);
    expect(third.revision).toBe(`${cube!.revision}-3`);
    expect(third.sets[0]!.schema.name).toBe(`cube/activity@${cube!.revision}-3/0`);
  });
});
