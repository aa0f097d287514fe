import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@niobe/kernel';
import { checkFacts, FactsRow, newFacts, parseFacts } from './facts.ts';
import { MemorySharedMaps } from './memory-shared-maps.ts';

describe('the facts row', () => {
  it('is recorded by the first and read by all others', async () => {
    const maps = new MemorySharedMaps(systemClock);
    const [one, other] = [await FactsRow.open(maps), await FactsRow.open(maps)];
    expect(await one.read()).toBeNull();
    const recorded = await Promise.all([one.record(newFacts(64, 'aa')), other.record(newFacts(64, 'bb'))]);
    expect(recorded[0]).toEqual(recorded[1]);
    expect(await other.read()).toEqual(recorded[0]);
  });

  it('refuses a service that would look for cells elsewhere, naming every difference', () => {
    const facts = newFacts(64, 'aa');
    expect(() => checkFacts(facts, 64)).not.toThrow();
    expect(() => checkFacts({ ...facts, hash: 'fnv/1', format: 3 }, 32)).toThrow(
      /64 partitions are recorded, 32 are configured; hash fnv\/1 is recorded.*; format 3 is recorded/,
    );
  });

  it('reads nothing but facts', () => {
    const facts = newFacts(64, 'aa');
    expect(parseFacts({ ...facts, extra: true })).toEqual(facts);
    for (const wrong of [
      null,
      {},
      { ...facts, partitions: 63 },
      { ...facts, partitions: 8192 },
      { ...facts, birthId: 7 },
    ])
      expect(() => parseFacts(wrong)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
