import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SlotQueue } from './slot-queue.ts';

describe('the queue of free slots', () => {
  it('is an array that is worked on at both ends', () => {
    const step = fc.tuple(fc.constantFrom('push', 'shift', 'unshift', 'pop'), fc.integer({ min: 1, max: 400 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (sequence) => {
        const queue = new SlotQueue();
        const oracle: number[] = [];
        let slot = 0;
        for (const [what, times] of sequence) {
          for (let i = 0; i < times; i++) {
            slot += 1;
            if (what === 'push') oracle.push((queue.push(slot), slot));
            else if (what === 'unshift') oracle.unshift((queue.unshift(slot), slot));
            else if (oracle.length > 0) expect(queue[what]()).toBe(oracle[what]());
          }
          expect(queue.length).toBe(oracle.length);
        }
        while (oracle.length > 0) expect(queue.shift()).toBe(oracle.shift());
      }),
    );
  });
});
