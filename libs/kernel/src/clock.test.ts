import { describe, expect, it } from '@jest/globals';
import { every, ManualClock, systemClock } from './clock.ts';
import { until, withDeadline } from './deferred.ts';

describe('ManualClock', () => {
  it('fires timers in order of due time, at their time', () => {
    const clock = new ManualClock(1_000);
    const seen: string[] = [];
    clock.after(20, () => seen.push(`b@${clock.monotonicMs()}`));
    clock.after(10, () => {
      seen.push(`a@${clock.monotonicMs()}`);
      clock.after(5, () => seen.push(`nested@${clock.monotonicMs()}`));
    });
    const cancelled = clock.after(12, () => seen.push('cancelled'));
    cancelled.cancel();
    clock.advance(20);
    expect(seen).toEqual(['a@10', 'nested@15', 'b@20']);
    expect(clock.nowMs()).toBe(1_020);
  });

  it('every repeats until cancelled, counting the period from the end of the work', () => {
    const clock = new ManualClock();
    let runs = 0;
    const timer = every(clock, 10, () => void (runs += 1));
    clock.advance(35);
    expect(runs).toBe(3);
    timer.cancel();
    clock.advance(100);
    expect(runs).toBe(3);
  });
});

describe('deadlines', () => {
  it('withDeadline gives the value, or DEADLINE naming the work', async () => {
    await expect(withDeadline(systemClock, Promise.resolve(5), 1_000, 'five')).resolves.toBe(5);
    const never = new Promise<never>(() => undefined);
    await expect(withDeadline(systemClock, never, 5, 'waiting for nothing')).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining('waiting for nothing'),
    });
  });

  it('until waits for a condition and gives up at its deadline', async () => {
    let asked = 0;
    await until(systemClock, () => ++asked > 3, 1_000, 'three questions', 1);
    expect(asked).toBe(4);
    await expect(until(systemClock, () => false, 5, 'a miracle', 1)).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
