import { describe, expect, it } from '@jest/globals';
import { deferred, delay, ManualClock, seededRandom, systemClock, until, type Deferred } from '@niobe/kernel';
import type { Rejection } from '@niobe/tool-clickgen';
import type { EventBatch } from './event-batches.ts';
import { Replay, WINDOW_BATCHES, type EventSink } from './replay.ts';
import type { ReplayEvent } from './row-mapper.ts';

const ROWS = 10;

async function* batches(count: number, first = 0): AsyncGenerator<EventBatch> {
  for (let n = first; n < count; n++) {
    const eventRows = Array.from({ length: ROWS }, (_, index) => n * ROWS + index + 1);
    const events = eventRows.map((row): ReplayEvent => ({ id: String(row), source: 's', type: 't', data: {} }));
    yield { rowsBefore: n * ROWS, rows: ROWS, events, eventRows, refused: [], fileBytesRead: (n + 1) * 100 };
  }
}

function sinkOf(post: (events: readonly ReplayEvent[]) => Promise<readonly Rejection[]>): EventSink {
  return { post, trouble: '', close: () => undefined };
}

describe('Replay', () => {
  it('sends every row once and ends with all rows done, in whatever order answers come', async () => {
    const random = seededRandom(1);
    const sent: string[] = [];
    const sink = sinkOf(async (events) => {
      await delay(systemClock, random.below(5));
      sent.push(...events.map((event) => event.id));
      return [];
    });
    let before = 0;
    const onProgress = ({ rowsDone }: Replay): void => {
      expect(rowsDone).toBeGreaterThanOrEqual(before);
      before = rowsDone;
    };
    const replay = new Replay({ sink, clock: systemClock, ratePerSecond: Number.POSITIVE_INFINITY, onProgress });
    await replay.run(batches(50));
    expect(replay.rowsDone).toBe(500);
    expect(replay.acknowledged).toBe(500);
    expect(replay.fileBytesDone).toBe(5_000);
    expect(sent.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  it('counts as done only what nothing before is missing of, and waits with a bounded window', async () => {
    const answers: Deferred<readonly Rejection[]>[] = [];
    const sink = sinkOf(() => {
      const answer = deferred<readonly Rejection[]>();
      answers.push(answer);
      return answer.promise;
    });
    const replay = new Replay({ sink, clock: systemClock, ratePerSecond: Number.POSITIVE_INFINITY });
    const running = replay.run(batches(WINDOW_BATCHES + 2, 2), 2 * ROWS);
    await until(systemClock, () => answers.length === WINDOW_BATCHES, 2_000, 'a full window');
    answers[1]!.resolve([]);
    answers[2]!.resolve([]);
    await until(systemClock, () => replay.acknowledged === 2 * ROWS, 2_000, 'two answers');
    expect(replay.rowsDone).toBe(2 * ROWS);
    answers[0]!.resolve([]);
    await until(systemClock, () => replay.rowsDone === 5 * ROWS, 2_000, 'the gap to close');
    for (const answer of answers) answer.resolve([]);
    await running;
    expect(replay.rowsDone).toBe((WINDOW_BATCHES + 2) * ROWS);
  });

  it('counts refused rows and events, and names the row', async () => {
    const sink = sinkOf(() =>
      Promise.resolve([{ index: 3, code: 'SCHEMA_VIOLATION', path: 'data.x', detail: 'is wrong' }]),
    );
    const replay = new Replay({ sink, clock: systemClock, ratePerSecond: Number.POSITIVE_INFINITY });
    await replay.run(batches(2));
    expect(replay.refused).toBe(2);
    expect(replay.acknowledged).toBe(18);
    expect(replay.refusals[1]).toEqual({ row: 14, reason: 'event 14: SCHEMA_VIOLATION data.x is wrong' });
  });

  it('keeps its rate', async () => {
    const clock = new ManualClock();
    const replay = new Replay({ sink: sinkOf(() => Promise.resolve([])), clock, ratePerSecond: 20 });
    const running = replay.run(batches(4));
    for (const rows of [10, 20, 30, 40]) {
      await until(systemClock, () => replay.rowsDone === rows, 2_000, `${rows} rows`);
      clock.advance(499);
      await delay(systemClock, 5);
      expect(replay.rowsDone).toBe(rows);
      clock.advance(1);
    }
    await running;
  });

  it('ends with the reason when the sink fails for good, and reads no further', async () => {
    const replay = new Replay({
      sink: sinkOf(() => Promise.reject(new Error('wrong'))),
      clock: systemClock,
      ratePerSecond: Number.POSITIVE_INFINITY,
    });
    await expect(replay.run(batches(1_000_000))).rejects.toThrow('wrong');
    expect(replay.rowsDone).toBe(0);
  });
});
