import { describe, expect, it } from '@jest/globals';
import { ManualClock, seededRandom } from '@niobe/kernel';
import { newEventId } from './event-id.ts';

describe('newEventId', () => {
  it('is a UUID of version 7 that begins with the time', () => {
    const id = newEventId(new ManualClock(0x0189_abcd_ef01), seededRandom(1));
    expect(id).toMatch(/^0189abcd-ef01-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('does not repeat', () => {
    const clock = new ManualClock();
    const random = seededRandom(2);
    const ids = new Set(Array.from({ length: 10_000 }, () => newEventId(clock, random)));
    expect(ids.size).toBe(10_000);
  });
});
