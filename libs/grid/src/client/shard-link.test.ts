import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock, type NiobeError } from '@niobe/kernel';
import type { BusMessage } from '../bus.ts';
import { WAITING_BYTES_MAX, WINDOW_BYTES, WINDOW_REQUESTS } from '../limits.ts';
import { MemoryNetwork } from '../memory-bus.ts';
import { ShardLink } from './shard-link.ts';

const MiB = 1024 * 1024;

describe('ShardLink', () => {
  let clock: ManualClock;
  let link: ShardLink;
  let got: BusMessage[];

  beforeEach(() => {
    clock = new ManualClock();
    const network = new MemoryNetwork({ clock });
    got = [];
    network.connect().subscribe('shard', (message) => got.push(message));
    link = new ShardLink(network.connect(), 'shard', clock);
  });

  /** Lets messages and answers travel. */
  async function travel(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      clock.advance(0);
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
  }

  function send(frames: number, bytes: number, endMs = 60_000): { ends: string[] } {
    const ends: string[] = [];
    for (let i = 0; i < frames; i++) {
      link.send(new Uint8Array(bytes), endMs, true).then(
        () => ends.push('answered'),
        (error: NiobeError) => ends.push(error.code),
      );
    }
    return { ends };
  }

  it('has at most 64 requests under way, and sends the rest in order as answers come', async () => {
    const { ends } = send(150, 100);
    await travel();
    expect(got).toHaveLength(WINDOW_REQUESTS);
    for (let answered = 0; answered < 150; answered++) {
      got[answered]!.reply(new Uint8Array(1));
      await travel();
      expect(got).toHaveLength(Math.min(150, WINDOW_REQUESTS + answered + 1));
    }
    expect(ends).toEqual(Array.from({ length: 150 }, () => 'answered'));
    const serials = got.map(({ payload }) => new DataView(payload.buffer).getUint32(6, true));
    expect(serials).toEqual(serials.map((_, i) => i + 1));
  });

  it('has at most 4 MiB under way, or one frame that is longer', async () => {
    send(20, MiB);
    await travel();
    expect(link.inFlightBytes).toBe(WINDOW_BYTES);
    expect(got).toHaveLength(4);
  });

  it('says BUSY beyond what may wait, and DEADLINE to all that waited in vain', async () => {
    const { ends } = send(160, MiB, 1000);
    await travel();
    expect(link.waitingBytes).toBe(WAITING_BYTES_MAX);
    expect(ends).toEqual(Array.from({ length: 160 - 4 - 64 }, () => 'BUSY'));
    clock.advance(1000);
    await travel();
    expect(ends.filter((end) => end === 'DEADLINE')).toHaveLength(68);
    expect([link.waitingBytes, link.inFlightBytes, got.length]).toEqual([0, 0, 4]);
  });

  it('waits for one answer no longer than an attempt, unless told to be patient', async () => {
    const ends: string[] = [];
    for (const patient of [false, true])
      link
        .send(new Uint8Array(100), 60_000, patient)
        .catch((error: NiobeError) => ends.push(`${patient} ${error.code}`));
    await travel();
    clock.advance(5_000);
    await travel();
    expect(ends).toEqual(['false DEADLINE']);
    clock.advance(55_000);
    await travel();
    expect(ends).toEqual(['false DEADLINE', 'true DEADLINE']);
  });
});
