import { describe, expect, it } from '@jest/globals';
import { rendezvousShard } from './placement.ts';
import { backupSubject, shardSubject } from './subjects.ts';

function shares(shards: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let partition = 0; partition < 1024; partition++) {
    const shard = rendezvousShard(partition, shards);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  return counts;
}

describe('rendezvousShard', () => {
  it('spreads partitions evenly', () => {
    for (const share of Object.values(shares(['shard-0', 'shard-1', 'shard-2', 'shard-3']))) {
      expect(share).toBeGreaterThan(200);
      expect(share).toBeLessThan(312);
    }
  });

  it('does not depend on the order of the shards and moves only what the new shard wins', () => {
    for (let partition = 0; partition < 1024; partition++) {
      const before = rendezvousShard(partition, ['shard-0', 'shard-1']);
      expect(rendezvousShard(partition, ['shard-1', 'shard-0'])).toBe(before);
      expect([before, 'shard-2']).toContain(rendezvousShard(partition, ['shard-0', 'shard-1', 'shard-2']));
    }
  });

  it('places as it always did', () => {
    expect(
      Array.from({ length: 8 }, (_, partition) => rendezvousShard(partition, ['shard-0', 'shard-1']).at(-1)).join(''),
    ).toMatchInlineSnapshot(`"11110001"`);
  });
});

describe('subjects', () => {
  it('name deployment, role and name', () => {
    expect(shardSubject('shop', 'shard-0')).toBe('niobe.shop.shard.shard-0');
    expect(backupSubject('shop', 'backup-1')).toBe('niobe.shop.backup.backup-1');
  });

  it('refuse names that a subject cannot hold', () => {
    for (const name of ['', 'a.b', 'a b', '*', '>', '-a', 'A', 'x'.repeat(64)])
      expect(() => shardSubject('shop', name)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
  });
});
