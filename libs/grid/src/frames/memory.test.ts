import { describe, expect, it } from '@jest/globals';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { failureFrame, refusalOf } from './failure.ts';
import { memoryFrame, memoryReply, readMemoryReply, readMemoryRequest } from './memory.ts';

describe('MEMORY frames', () => {
  it('arrive as they were sent', () => {
    const request = readMemoryRequest(memoryFrame(7, 8, 900, 20));
    expect(request).toMatchObject({ header: { client: 7, serial: 8, deadlineMs: 900 }, largest: 20 });
    const report = { cells: 3, schemas: [{ name: 'größe' }] };
    expect(readMemoryReply(memoryReply(request.header, report))).toEqual(report);
  });

  it('carry a refusal', () => {
    const refusal = refusalOf(new NiobeError('BUSY', 'too many', { retryAfterMs: 50 }));
    expect(() => readMemoryReply(failureFrame(7, 8, refusal))).toThrow(expect.objectContaining({ code: 'BUSY' }));
  });

  it('are refused where they are broken', () => {
    const whole = [memoryFrame(1, 2, 3, 4), memoryReply(readMemoryRequest(memoryFrame(1, 2, 3, 4)).header, { a: 1 })];
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(40), fc.nat(255), (frame, at, byte) => {
        const broken = frame.slice(0, byte % 2 === 0 ? at : undefined);
        if (at < broken.length) broken[at] = byte;
        for (const read of [readMemoryRequest, readMemoryReply]) {
          try {
            read(broken);
          } catch (error) {
            if (!isNiobeError(error)) throw error;
          }
        }
      }),
    );
    expect(() => readMemoryRequest(Uint8Array.of(...whole[0]!, 0))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });
});
