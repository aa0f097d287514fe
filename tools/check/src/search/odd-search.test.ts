import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@niobe/kernel';
import { oddSearch } from './odd-search.ts';

const SEARCH = { start: [{ schema: 'page', key: 0 }], hops: [{ edge: 'links' }], return: 'levels' };

describe('an odd search', () => {
  it('differs from the valid one in places at every depth, and leaves it as it was', () => {
    const random = seededRandom(1);
    const before = JSON.stringify(SEARCH);
    const odd = new Set(Array.from({ length: 500 }, () => JSON.stringify(oddSearch(SEARCH, random))));
    expect(odd.size).toBeGreaterThan(100);
    expect(odd).toContain(before.replace('"links"', 'null'));
    expect(odd).toContain(before.replace('"key":0', '"key":-1'));
    expect(odd).toContain(before.replace(',"return":"levels"', ''));
    expect(JSON.stringify(SEARCH)).toBe(before);
  });
});
