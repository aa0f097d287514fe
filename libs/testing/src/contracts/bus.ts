import { until, systemClock, type NiobeError } from '@niobe/kernel';
import type { Bus, BusStatus } from '@niobe/grid';
import { afterAll, beforeAll, describe, expect, it } from '../jest-globals.ts';

/** A wire to test: participants that meet, and a way to cut it. */
export interface BusFixture {
  /** A new participant. */
  connect(): Promise<Bus>;
  /** Cuts the wire for every participant, as a server that is killed. */
  cut(): Promise<void>;
  /** Makes the wire whole again. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

const SOON_MS = 20_000;
const DEADLINE = { deadlineMs: SOON_MS };
const MiB = 1024 * 1024;

/** What every `Bus` keeps: run on the twin and on the real one. */
export function busContract(title: string, make: () => Promise<BusFixture>): void {
  describe(`${title} keeps the contract of Bus`, () => {
    let fixture: BusFixture;
    let asker: Bus;
    let server: Bus;
    let subjects = 0;
    const subject = (): string => `contract.bus.${subjects++}`;

    beforeAll(async () => {
      fixture = await make();
      asker = await fixture.connect();
      server = await fixture.connect();
    });
    afterAll(async () => {
      await asker?.close();
      await server?.close();
      await fixture?.close();
    });

    /** Subscriptions reach a server later than the call that makes them. */
    async function heard(on: string): Promise<void> {
      const probe = async (): Promise<boolean> =>
        asker.request(on, Uint8Array.of(255), DEADLINE).then(
          () => true,
          (error: NiobeError) => error.code !== 'UNAVAILABLE',
        );
      await until(systemClock, probe, SOON_MS, `${on} being heard`);
    }

    async function echoOn(on: string): Promise<void> {
      server.subscribe(on, (message) => message.reply(message.payload));
      await heard(on);
    }

    it('brings a request and its answer', async () => {
      const on = subject();
      server.subscribe(on, (message) => message.reply(Uint8Array.of(...message.payload, 9)));
      await heard(on);
      expect([...(await asker.request(on, Uint8Array.of(1, 2), DEADLINE))]).toEqual([1, 2, 9]);
    });

    it('hands out bytes whose slice is a copy', async () => {
      const on = subject();
      let isBuffer = true;
      server.subscribe(on, (message) => {
        isBuffer = Buffer.isBuffer(message.payload);
        message.reply(message.payload);
      });
      await heard(on);
      expect(Buffer.isBuffer(await asker.request(on, Uint8Array.of(1, 2), DEADLINE))).toBe(false);
      expect(isBuffer).toBe(false);
    });

    it.each([0, 1, MiB - 1, MiB, MiB + 1, 2 * MiB, 3 * MiB + 17, 8 * MiB])(
      'carries %d bytes each way unchanged',
      async (length) => {
        const on = subject();
        await echoOn(on);
        const sent = pattern(length);
        const got = await asker.request(on, sent.slice(), DEADLINE);
        expect(got.length).toBe(length);
        expect(Buffer.compare(got, sent)).toBe(0);
      },
    );

    it('refuses what is longer than its bound', async () => {
      const payload = new Uint8Array(asker.maxPayloadBytes + 1);
      await expectCode(asker.request(subject(), payload, DEADLINE), 'TOO_LARGE');
      expect(() => asker.publish(subject(), payload)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    });

    it('says UNAVAILABLE where nobody listens, for short and long messages', async () => {
      await expectCode(asker.request(subject(), Uint8Array.of(1), DEADLINE), 'UNAVAILABLE');
      await expectCode(asker.request(subject(), new Uint8Array(3 * MiB), DEADLINE), 'UNAVAILABLE');
    });

    it('says DEADLINE where no answer comes in time', async () => {
      const on = subject();
      server.subscribe(on, (message) => {
        if (message.payload[0] === 255) message.reply(message.payload);
      });
      await heard(on);
      await expectCode(asker.request(on, Uint8Array.of(1), { deadlineMs: 30 }), 'DEADLINE');
    });

    it('gives each of many requests its own answer', async () => {
      const on = subject();
      await echoOn(on);
      const asked = Array.from({ length: 500 }, (_, i) => asker.request(on, Uint8Array.of(i >> 8, i & 255), DEADLINE));
      const answers = await Promise.all(asked);
      expect(answers.map((answer) => (answer[0]! << 8) | answer[1]!)).toEqual(answers.map((_, i) => i));
    });

    it('takes one answer to a request', async () => {
      const on = subject();
      server.subscribe(on, (message) => {
        message.reply(Uint8Array.of(1));
        message.reply(Uint8Array.of(2));
      });
      await heard(on);
      const answers = await Promise.all([1, 2, 3].map(() => asker.request(on, Uint8Array.of(0), DEADLINE)));
      expect(answers.map((answer) => answer[0])).toEqual([1, 1, 1]);
    });

    it('brings what is published to every listener, in order, long and short', async () => {
      const on = subject();
      const lengths: number[][] = [[], []];
      for (const into of lengths) {
        server.subscribe(on, (message) => {
          if (message.payload[0] === 255) message.reply(message.payload);
          else into.push(message.payload.length);
        });
      }
      await heard(on);
      const sent = [1, 2 * MiB, 2, 3, MiB + 5, 4];
      for (const length of sent) asker.publish(on, new Uint8Array(length));
      await until(systemClock, () => lengths.every((into) => into.length === sent.length), SOON_MS, 'all arriving');
      expect(lengths).toEqual([sent, sent]);
    });

    it('is silent after a subscription is closed', async () => {
      const on = subject();
      const subscription = server.subscribe(on, (message) => message.reply(message.payload));
      await heard(on);
      subscription.close();
      // A request that overtakes the end of the subscription is dropped by the listener, so each question waits briefly.
      const gone = async (): Promise<boolean> =>
        asker.request(on, Uint8Array.of(1), { deadlineMs: 100 }).then(
          () => false,
          (error: NiobeError) => error.code === 'UNAVAILABLE',
        );
      await until(systemClock, gone, SOON_MS, 'the subscription ending');
    });

    it('fails what is in flight with CLOSED when it is closed, and refuses from then on', async () => {
      const on = subject();
      const other = await fixture.connect();
      server.subscribe(on, (message) => {
        if (message.payload[0] === 255) message.reply(message.payload);
      });
      await heard(on);
      const asked = other.request(on, Uint8Array.of(1), DEADLINE);
      await Promise.all([expectCode(asked, 'CLOSED'), other.close()]);
      await expectCode(other.request(on, Uint8Array.of(1), DEADLINE), 'CLOSED');
      expect(() => other.publish(on, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
      expect(other.status()).toBe('disconnected');
    });

    it('fails what is in flight with UNKNOWN when the wire breaks, and goes on when it is whole again', async () => {
      const on = subject();
      const told: BusStatus[] = [];
      const listening = asker.onStatus((status) => told.push(status));
      server.subscribe(on, (message) => {
        if (message.payload[0] !== 1) message.reply(message.payload);
      });
      await heard(on);
      const asked = Array.from({ length: 20 }, () => asker.request(on, Uint8Array.of(1), { deadlineMs: 120_000 }));
      const ends = Promise.all(asked.map((request) => expectCode(request, 'UNKNOWN')));
      await fixture.cut();
      await ends;
      expect(asker.status()).toBe('disconnected');
      await expectCode(asker.request(on, Uint8Array.of(2), DEADLINE), 'UNAVAILABLE');
      expect(() => asker.publish(on, Uint8Array.of(2))).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
      await fixture.mend();
      const whole = (): boolean => asker.status() === 'connected' && server.status() === 'connected';
      await until(systemClock, whole, SOON_MS, 'reconnecting');
      await heard(on);
      expect([...(await asker.request(on, Uint8Array.of(2), DEADLINE))]).toEqual([2]);
      expect(told).toEqual(['disconnected', 'connected']);
      listening.cancel();
    });
  });
}

async function expectCode(outcome: Promise<unknown>, code: string): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ name: 'NiobeError', code });
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 12)) & 255;
  return bytes;
}
