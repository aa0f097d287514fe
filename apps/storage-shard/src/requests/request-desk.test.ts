import { describe, expect, it } from '@jest/globals';
import { ManualClock, NiobeError } from '@niobe/kernel';
import { Ack, WriteFrameBuilder, WriteReply, type BusMessage } from '@niobe/grid';
import { QUEUE_BYTES_MAX } from '../limits.ts';
import { RequestDesk } from './request-desk.ts';

const frame = (): Uint8Array => {
  const builder = new WriteFrameBuilder();
  builder.start(7, Ack.MEMORY);
  return builder.finish();
};
const message = (payload: Uint8Array, replies: Uint8Array[] = []): BusMessage => ({
  subject: 's',
  payload,
  reply: (reply) => void replies.push(reply),
});
const codeOf = (reply: Uint8Array | undefined): string => {
  try {
    return `${new WriteReply(reply!).sections} sections`;
  } catch (error) {
    return error instanceof NiobeError ? error.code : String(error);
  }
};

describe('RequestDesk', () => {
  it('executes what arrived in one turn together, and background work after it', () => {
    const clock = new ManualClock();
    const order: string[] = [];
    let background = 2;
    const desk = new RequestDesk(
      clock,
      () => order.push('request'),
      () => (order.push('background'), --background > 0),
    );
    desk.arrive(message(frame()));
    desk.arrive(message(frame()));
    expect(order).toEqual([]);
    clock.advance(1);
    expect(order).toEqual(['request', 'request', 'background', 'background']);
  });

  it('refuses with BUSY above its bound of bytes, and takes requests again when they were executed', () => {
    const clock = new ManualClock();
    let executed = 0;
    const desk = new RequestDesk(
      clock,
      () => (executed += 1),
      () => false,
    );
    const replies: Uint8Array[] = [];
    const large = new Uint8Array(1024 * 1024);
    large.set(frame());
    for (let i = 0; i < 70; i++) desk.arrive(message(large, replies));
    expect(desk.waitingBytes).toBeLessThanOrEqual(QUEUE_BYTES_MAX);
    expect(desk.refused).toBe(replies.length);
    expect(replies.map(codeOf)).toEqual(Array.from({ length: 7 }, () => 'BUSY'));
    clock.advance(1);
    expect(executed).toBe(63);
    expect(desk.waitingBytes).toBe(0);
  });

  it('answers a frame that cannot be read, with its id, and goes on', () => {
    const clock = new ManualClock();
    const desk = new RequestDesk(
      clock,
      () => {
        throw new NiobeError('MALFORMED', 'no frame');
      },
      () => false,
    );
    const replies: Uint8Array[] = [];
    desk.arrive(message(frame(), replies));
    desk.arrive(message(new Uint8Array(0), replies));
    clock.advance(1);
    expect(replies.map(codeOf)).toEqual(['MALFORMED', 'MALFORMED']);
    expect(new DataView(replies[0]!.buffer, replies[0]!.byteOffset).getUint32(2, true)).toBe(7);
  });

  it('refuses everything once it is closed', () => {
    const desk = new RequestDesk(
      new ManualClock(),
      () => undefined,
      () => false,
    );
    desk.close();
    const replies: Uint8Array[] = [];
    desk.arrive(message(frame(), replies));
    expect(replies.map(codeOf)).toEqual(['NOT_READY']);
  });
});
