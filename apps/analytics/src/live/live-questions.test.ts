import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CubeAnswer } from '@niobe/aggregates';
import { ManualClock, NiobeError, silentLogger, systemClock, until } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter } from '@niobe/service';
import { EVENT_STREAM_TYPE } from './event-stream.ts';
import { LOOK_PAUSE_MS } from './followed-question.ts';
import { FOLLOWERS_MAX, LiveQuestions, QUESTIONS_MAX } from './live-questions.ts';

const DEADLINE_MS = 5_000;

/** A client of the stream, with what it got so far. */
class Follower {
  text = '';
  ended = false;
  readonly #leave = new AbortController();
  readonly #response: Promise<Response>;

  constructor(port: number, key: string) {
    this.#response = fetch(`http://127.0.0.1:${port}/live/${key}`, { signal: this.#leave.signal });
    void this.#read().catch(() => undefined);
  }

  get response(): Promise<Response> {
    return this.#response;
  }

  got(text: string): Promise<void> {
    return until(systemClock, () => this.text === text, DEADLINE_MS, `${JSON.stringify(text)} instead of ${this.text}`);
  }

  leave(): void {
    this.#leave.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of (await this.#response).body!) this.text += decoder.decode(chunk as Uint8Array);
    this.ended = true;
  }
}

describe('LiveQuestions', () => {
  let clock: ManualClock;
  let live: LiveQuestions;
  let http: HttpServer;
  let followers: Follower[];
  let looks: number;
  /** What the grid would answer: one row with this, or an error. */
  let state: number | NiobeError;

  const answer = (orders: number): CubeAnswer => ({ rows: [{ orders }], asOf: `look ${looks}` });
  const ask = async (): Promise<CubeAnswer> => {
    looks += 1;
    if (state instanceof NiobeError) throw state;
    return answer(state);
  };
  const told = (orders: number, look: number): string =>
    `data: {"rows":[{"orders":${orders}}],"asOf":"look ${look}"}\n\n`;

  beforeEach(async () => {
    clock = new ManualClock();
    live = new LiveQuestions(clock);
    [looks, state, followers] = [0, 1, []];
    const [health, meter] = [new Health(), new PrometheusMeter('test')];
    http = await HttpServer.open({
      host: '127.0.0.1',
      port: 0,
      health,
      meter,
      logger: silentLogger,
      clock: systemClock,
    });
    await http.mount((app) => {
      app.get<{ Params: { key: string } }>('/live/:key', async ({ params }, reply) =>
        reply.type(EVENT_STREAM_TYPE).send(await live.follow(params.key, ask)),
      );
    });
  });
  afterEach(async () => {
    live.close();
    for (const follower of followers) follower.leave();
    await http.close();
  });

  const follow = (key = 'a'): Follower => {
    const follower = new Follower(http.port, key);
    followers.push(follower);
    return follower;
  };
  /** Moves time to the next look and waits until it was made. */
  const nextLook = async (pauseMs = LOOK_PAUSE_MS): Promise<void> => {
    const before = looks;
    clock.advance(pauseMs);
    await until(systemClock, () => looks > before, DEADLINE_MS, 'a look');
  };

  it('tells the answer at once and then only what differs', async () => {
    const follower = follow();
    expect((await follower.response).headers.get('content-type')).toContain('text/event-stream');
    await follower.got(told(1, 1));
    await nextLook();
    state = 2;
    await nextLook();
    await follower.got(told(1, 1) + told(2, 3));
  });

  it('looks once for all who follow the same, at most every 250 ms', async () => {
    const first = follow();
    await first.got(told(1, 1));
    const second = follow();
    await second.got(told(1, 1));
    expect([looks, live.followers, live.questions]).toEqual([1, 2, 1]);
    clock.advance(LOOK_PAUSE_MS - 1);
    expect(looks).toBe(1);
    state = 5;
    await nextLook(1);
    await Promise.all([first, second].map((follower) => follower.got(told(1, 1) + told(5, 2))));
  });

  it('stops looking when the last has gone', async () => {
    const [first, second] = [follow(), follow()];
    await Promise.all([first, second].map((follower) => follower.got(told(1, 1))));
    first.leave();
    await until(systemClock, () => live.followers === 1, DEADLINE_MS, 'one follower');
    await nextLook();
    second.leave();
    await until(systemClock, () => live.questions === 0, DEADLINE_MS, 'no question');
    clock.advance(60_000);
    expect(looks).toBe(2);
  });

  it('tells a trouble once, and the answer again when it is over', async () => {
    const stream = await live.follow('a', ask);
    const read = (): string => String(stream.read());
    expect(read()).toBe(told(1, 1));
    state = new NiobeError('UNAVAILABLE', 'shard-0 is away');
    await nextLook();
    const [name, data] = read().split('\ndata: ');
    expect(name).toBe('event: problem');
    expect(JSON.parse(data!)).toMatchObject({ code: 'UNAVAILABLE', detail: 'shard-0 is away' });
    await nextLook(1_000);
    expect(stream.read()).toBeNull();
    state = 1;
    await nextLook(1_000);
    expect(read()).toBe(told(1, 4));
    stream.destroy();
  });

  it('fails with the error of the first look, and looks anew for the next who asks', async () => {
    state = new NiobeError('UNAVAILABLE', 'shard-0 is away');
    await expect(live.follow('a', ask)).rejects.toBe(state);
    expect((await follow().response).status).toBe(503);
    await expect(live.follow('a', ask)).rejects.toBe(state);
    state = 7;
    (await live.follow('a', ask)).destroy();
    await until(systemClock, () => live.followers === 0, DEADLINE_MS, 'nobody left');
  });

  it('beats while nothing changes', async () => {
    const follower = follow();
    await follower.got(told(1, 1));
    clock.advance(15_000);
    await follower.got(`${told(1, 1)}:\n\n`);
    expect(follower.ended).toBe(false);
  });

  it('keeps only the newest of what a slow reader has not taken', async () => {
    const stream = await live.follow('a', ask);
    for (state = 2; state < 50; state++) await nextLook();
    expect(String(stream.read())).toBe(told(49, 49));
    expect(stream.read()).toBeNull();
    stream.destroy();
  });

  it('refuses what exceeds its bounds', async () => {
    const streams = await Promise.all(Array.from({ length: QUESTIONS_MAX }, (_, key) => live.follow(`${key}`, ask)));
    await expect(live.follow('more', ask)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    while (live.followers < FOLLOWERS_MAX) streams.push(await live.follow('0', ask));
    expect((await follow('0').response).status).toBe(429);
    for (const stream of streams) stream.destroy();
    await until(systemClock, () => live.followers === 0 && live.questions === 0, DEADLINE_MS, 'nobody left');
    await follow('more').got(told(1, QUESTIONS_MAX + 1));
  });

  it('ends all streams when the process ends', async () => {
    const follower = follow();
    await follower.got(told(1, 1));
    live.close();
    await until(systemClock, () => follower.ended, DEADLINE_MS, 'the end of the stream');
    expect((await follow().response).status).toBe(503);
  });
});
