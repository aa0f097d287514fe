import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, NiobeError } from '@niobe/kernel';
import { failureFrame, malformedFrame, refusalOf } from './failure.ts';
import { GetFrameBuilder, GetReply } from './get.ts';
import { PROTOCOL, stampRequest } from './header.ts';
import { ScanReply } from './scan.ts';
import { WriteReply } from './write-reply.ts';

describe('failure frames', () => {
  it('bring every code to the asker, whatever was asked', () => {
    for (const code of ERROR_CODES) {
      const frame = failureFrame(1, 2, { code, message: `about ${code}`, retryAfterMs: 5 });
      const expected = expect.objectContaining({ code, message: `about ${code}`, details: { retryAfterMs: 5 } });
      for (const Reply of [GetReply, WriteReply, ScanReply]) expect(() => new Reply(frame)).toThrow(expected);
    }
  });

  it('cut long messages', () => {
    const frame = failureFrame(1, 2, { code: 'BUSY', message: 'x'.repeat(100_000), retryAfterMs: 0 });
    expect(frame.length).toBeLessThan(500);
  });

  it('answer the id of a request that could not be read', () => {
    const builder = new GetFrameBuilder();
    builder.start(77);
    const request = builder.finish();
    stampRequest(request, 88, 0);
    const failure = malformedFrame(request, new NiobeError('MALFORMED', 'no'));
    expect(failure).toEqual(failureFrame(77, 88, refusalOf(new NiobeError('MALFORMED', 'no'))));
    expect(() => new GetReply(malformedFrame(new Uint8Array(3), new NiobeError('MALFORMED', 'no')))).toThrow('no');
  });

  it('are not taken for an answer to something else', () => {
    expect(() => new WriteReply(Uint8Array.of(PROTOCOL, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toThrow(
      'a reply of kind 129',
    );
    expect(() => new GetReply(Uint8Array.of(PROTOCOL + 1, 0x81))).toThrow(`protocol ${PROTOCOL + 1}`);
  });
});
