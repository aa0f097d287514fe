import type { Bus } from '@niobe/grid';
import { delay, isNiobeError, NiobeError, type Clock, type ErrorCode } from '@niobe/kernel';
import { collectFrame, readShare, type RowOnWire, type SharePage } from '../frames/collect.ts';
import { beginRequest, openReply, TraverseKind, type TraverseKindCode } from '../frames/header.ts';
import { startFrame, type SearchPlan } from '../frames/start.ts';
import { ASK_ATTEMPT_MS, ASK_PAUSE_MS, END_TRIES_MAX, POLL_MS } from '../limits.ts';
import { traverseSubject } from '../subject.ts';

/** What one shard has of an answer, all pages together. */
export type Share = Omit<SharePage, 'rowCount'>;

/** What a {@link SearchRun} works with. */
export interface SearchRunOptions {
  readonly bus: Bus;
  readonly deployment: string;
  readonly clock: Clock;
  readonly plan: SearchPlan;
  /** Monotonic time after which nobody waits for the answer. */
  readonly endMs: number;
}

/**
 * One attempt at a search: tells all shards, waits at each for its end, takes their shares. Messages that are lost are sent again; a
 * shard that fails, or is not there, fails the attempt.
 */
export class SearchRun {
  readonly #options: SearchRunOptions;
  #isOver = false;

  constructor(options: SearchRunOptions) {
    this.#options = options;
  }

  /** The shares, in the order of the plan's shards. Throws the first error of a shard. */
  async run(): Promise<Share[]> {
    const { plan } = this.#options;
    const frame = startFrame(plan);
    await Promise.all(plan.shards.map((shard) => this.#ask(shard, TraverseKind.START, () => frame)));
    return Promise.all(plan.shards.map((shard) => this.#share(shard)));
  }

  /** Lets the shards forget the search, in the background; whom this does not reach forgets it by itself. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const shard of this.#options.plan.shards) void this.#endAt(shard);
  }

  async #share(shard: string): Promise<Share> {
    const first = await this.#page(shard, 0);
    const rows: RowOnWire[] = [...first.rows];
    while (rows.length < first.rowCount) {
      const page = await this.#page(shard, rows.length);
      if (page.rows.length === 0) throw new NiobeError('MALFORMED', `${shard} gives fewer rows than it said`);
      for (const row of page.rows) rows.push(row);
    }
    return { total: first.total, levels: first.levels, rows };
  }

  /** A page of a shard's share, once the search is over there. */
  async #page(shard: string, fromRow: number): Promise<SharePage> {
    const { plan } = this.#options;
    for (;;) {
      const reply = await this.#ask(shard, TraverseKind.COLLECT, (waitMs) => collectFrame(plan.task, waitMs, fromRow));
      const page = readShare(reply);
      if (page !== null) return page;
    }
  }

  /** Asks until there is an answer. Throws what it says, or `UNAVAILABLE` where nobody is there. */
  async #ask(shard: string, kind: TraverseKindCode, frame: (waitMs: number) => Uint8Array): Promise<Uint8Array> {
    const { bus, deployment, clock, endMs } = this.#options;
    const subject = traverseSubject(deployment, shard);
    for (;;) {
      const leftMs = Math.ceil(endMs - clock.monotonicMs());
      if (this.#isOver || leftMs <= 0) throw new NiobeError('DEADLINE', `the time was up before ${shard} had answered`);
      const waitMs = kind === TraverseKind.COLLECT ? Math.min(POLL_MS, leftMs) : 0;
      try {
        const reply = await bus.request(subject, frame(waitMs), { deadlineMs: waitMs + ASK_ATTEMPT_MS });
        openReply(reply, kind);
        return reply;
      } catch (error) {
        if (!isNiobeError(error) || !PASSING.includes(error.code) || clock.monotonicMs() >= endMs) throw error;
        await delay(clock, ASK_PAUSE_MS);
      }
    }
  }

  async #endAt(shard: string): Promise<void> {
    const { bus, deployment, plan } = this.#options;
    const subject = traverseSubject(deployment, shard);
    const frame = beginRequest(TraverseKind.END, plan.task).finish();
    for (let tries = 0; tries < END_TRIES_MAX; tries++) {
      try {
        await bus.request(subject, frame, { deadlineMs: ASK_ATTEMPT_MS });
        return;
      } catch (error) {
        if (!isNiobeError(error)) throw error;
        if (!PASSING.includes(error.code)) return;
      }
    }
  }
}

/** The message or its answer may have been lost on the way. */
const PASSING: readonly ErrorCode[] = ['DEADLINE', 'UNKNOWN', 'BUSY'];
