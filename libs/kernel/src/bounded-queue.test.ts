import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BoundedQueue } from './bounded-queue.ts';

describe('BoundedQueue', () => {
  it('behaves like an array that refuses at its bounds', () => {
    const operation = fc.oneof(fc.record({ push: fc.nat(50) }), fc.constant('shift' as const));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const queue = new BoundedQueue<number>(8, 100);
        const model: number[] = [];
        for (const step of operations) {
          if (step === 'shift') expect(queue.shift()).toBe(model.shift());
          else {
            const bytes = model.reduce((sum, size) => sum + size, 0);
            const fits = model.length < 8 && (model.length === 0 || bytes + step.push <= 100);
            expect(queue.push(step.push, step.push)).toBe(fits);
            if (fits) model.push(step.push);
          }
          expect(queue.length).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, size) => sum + size, 0));
          expect(queue.peek()).toBe(model[0]);
        }
      }),
    );
  });

  it('takes an item larger than its byte bound only when empty', () => {
    const queue = new BoundedQueue<string>(4, 10);
    expect(queue.push('large', 50)).toBe(true);
    expect(queue.push('small', 1)).toBe(false);
    queue.shift();
    expect(queue.push('small', 1)).toBe(true);
  });
});
