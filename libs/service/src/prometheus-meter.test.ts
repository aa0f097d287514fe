import { describe, expect, it } from '@jest/globals';
import { PrometheusMeter } from './prometheus-meter.ts';

describe('PrometheusMeter', () => {
  it('prefixes names, keeps label series apart, and gives one metric for one declaration', async () => {
    const meter = new PrometheusMeter('storage-shard');
    meter.counter('writes_total', 'Writes.', { kind: 'put' }).add(2);
    meter.counter('writes_total', 'Writes.', { kind: 'put' }).add(3);
    meter.counter('writes_total', 'Writes.', { kind: 'delete' });
    let live = 7;
    meter.gauge('live_bytes', 'Live.', () => live);
    meter.histogram('commit_seconds', 'Commits.', [0.1, 1]).observe(0.5);
    live = 8;
    const page = await meter.page();
    expect(page).toContain('niobe_storage_shard_writes_total{kind="put"} 5');
    expect(page).toContain('niobe_storage_shard_writes_total{kind="delete"} 0');
    expect(page).toContain('niobe_storage_shard_live_bytes 8');
    expect(page).toContain('niobe_storage_shard_commit_seconds_bucket{le="1"} 1');
    expect(page).toContain('niobe_storage_shard_commit_seconds_bucket{le="0.1"} 0');
  });

  it('shows the process without gauges that are named like counters', async () => {
    const meter = new PrometheusMeter('x');
    meter.collectProcessMetrics();
    const page = await meter.page();
    expect(page).toContain('process_resident_memory_bytes');
    const types = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(10);
    for (const [, name, type] of types) expect(name!.endsWith('_total')).toBe(type === 'counter');
  });

  it('refuses names without unit, counters without _total, and more series than its bound', () => {
    const meter = new PrometheusMeter('x');
    expect(() => meter.counter('writes', 'Writes.')).toThrow(/_total/);
    expect(() => meter.gauge('waiters_count', 'Waiters.', () => 0)).toThrow(/ends in its unit/);
    expect(() => meter.gauge('Live-Bytes', 'Live.', () => 0)).toThrow(/lower case/);
    const declareMany = (): void => {
      for (let i = 0; i < 1_000; i++) meter.gauge('live_bytes', 'Live.', () => 0, { of: String(i) });
    };
    expect(declareMany).toThrow(/at most 900 series/);
  });
});
