import { describe, expect, it } from '@jest/globals';
import type { BusMessage } from '@niobe/grid';
import { RequestMemory, SERIALS_REMEMBERED } from './request-memory.ts';

const message = (replies: Uint8Array[] = []): BusMessage => ({
  subject: 's',
  payload: new Uint8Array(0),
  reply: (payload) => void replies.push(payload),
});
const answer = Uint8Array.of(1, 2, 3);

describe('RequestMemory', () => {
  it('gives a repetition the answer of the first, also when it is still on its way', () => {
    const memory = new RequestMemory();
    const replies: Uint8Array[] = [];
    expect(memory.recall(7, 1, message(replies))).toBe('new');
    memory.executed(7, 1);
    expect(memory.recall(7, 1, message(replies))).toBe('repeated');
    expect(replies).toEqual([]);
    memory.answered(7, 1, answer);
    expect(memory.recall(7, 1, message(replies))).toBe('repeated');
    expect(replies).toEqual([answer, answer]);
    expect(memory.recall(8, 1, message())).toBe('new');
  });

  it('lets a request that had no effect be executed again', () => {
    const memory = new RequestMemory();
    memory.recall(7, 1, message());
    memory.executed(7, 2);
    expect(memory.recall(7, 1, message())).toBe('new');
  });

  it('tells strays from new requests, also where serials wrap, and stays bounded', () => {
    const memory = new RequestMemory();
    for (let i = 0; i < 5_000; i++) {
      const serial = (0xffff_f000 + i) >>> 0;
      expect(memory.recall(7, serial, message())).toBe('new');
      memory.executed(7, serial);
      memory.answered(7, serial, answer);
    }
    const highest = (0xffff_f000 + 4_999) >>> 0;
    expect(memory.recall(7, (highest - SERIALS_REMEMBERED + 1) >>> 0, message())).toBe('repeated');
    expect(memory.recall(7, 0xffff_f000, message())).toBe('stray');
    expect(memory.answerBytes).toBeLessThanOrEqual((SERIALS_REMEMBERED + 256) * answer.length);
  });

  it('forgets the clients that were silent the longest', () => {
    const memory = new RequestMemory();
    for (let client = 0; client < 3_000; client++) {
      memory.executed(client, 1);
      memory.answered(client, 1, answer);
    }
    expect(memory.recall(2_999, 1, message())).toBe('repeated');
    expect(memory.recall(0, 1, message())).toBe('new');
    expect(memory.answerBytes).toBe(1_024 * answer.length);
  });
});
