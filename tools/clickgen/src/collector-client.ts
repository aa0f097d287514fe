import { isNiobeError, messageOf, NiobeError, type Clock } from '@niobe/kernel';

/**
 * Sends batches of events to the collector and does not come back before the collector has answered for each event.
 *
 * - 503, 429 and a lost connection: waits (`Retry-After`, else doubling pauses) and sends the same events again. Events carry their
 *   ids, so one that was taken without our hearing of it is counted once.
 * - 413: sends the two halves.
 * - a part refused for now (a code that says "later"): sends that part again. Refused for good: reported as {@link Rejection}.
 */

/** An event that will not be taken. `index` counts within the batch that was given to {@link CollectorClient.post}. */
export interface Rejection {
  readonly index: number;
  readonly code: string;
  readonly path: string;
  readonly detail: string;
}

export interface CollectorClientOptions {
  /** Base URL, such as `http://127.0.0.1:7700`. */
  readonly url: string;
  readonly clock: Clock;
  /** A batch fails with `DEADLINE` when it was not answered within this time, retries included. Default: never. */
  readonly patienceMs?: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const PASSING_CODES = new Set(['BUSY', 'UNAVAILABLE', 'UNKNOWN', 'DEADLINE', 'NOT_READY', 'RATE_LIMITED']);

type Answer =
  | { readonly kind: 'answered'; readonly rejected: readonly Rejection[] }
  | { readonly kind: 'wait'; readonly pauseMs: number | null; readonly reason: string }
  | { readonly kind: 'split' };

/** Positions, in the caller's batch, of the events of one request. */
type Positions = readonly number[];

export class CollectorClient {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #stopped = new AbortController();
  #retries = 0;
  #trouble = '';

  constructor(options: CollectorClientOptions) {
    this.#url = new URL('/v1/batch', options.url).href;
    this.#clock = options.clock;
    this.#patienceMs = options.patienceMs ?? Number.POSITIVE_INFINITY;
  }

  /** Requests that were sent again so far. */
  get retries(): number {
    return this.#retries;
  }

  /** Why the last request is being sent again; empty while all goes well. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Resolves with what was refused for good, once every other event is acknowledged. `CLOSED` after {@link close}. */
  async post(events: readonly unknown[]): Promise<Rejection[]> {
    const endMs = this.#clock.monotonicMs() + this.#patienceMs;
    const rejected: Rejection[] = [];
    await this.#deliver(
      events,
      events.map((_, index) => index),
      endMs,
      rejected,
    );
    return rejected.sort((a, b) => a.index - b.index);
  }

  /** Makes every waiting and every later {@link post} fail with `CLOSED`. */
  close(): void {
    this.#stopped.abort();
  }

  async #deliver(
    events: readonly unknown[],
    positions: Positions,
    endMs: number,
    rejected: Rejection[],
  ): Promise<void> {
    let pending = positions;
    for (let attempt = 0; pending.length > 0; attempt++) {
      const answer = await this.#request(events, pending);
      if (answer.kind === 'split') return await this.#deliverHalves(events, pending, endMs, rejected);
      if (answer.kind === 'answered') {
        pending = sortOut(answer.rejected, pending, rejected);
        if (pending.length > 0) await this.#pause(attempt, null, 'a part of the batch was refused for now', endMs);
        else this.#trouble = '';
      } else {
        await this.#pause(attempt, answer.pauseMs, answer.reason, endMs);
      }
    }
  }

  async #deliverHalves(
    events: readonly unknown[],
    positions: Positions,
    endMs: number,
    rejected: Rejection[],
  ): Promise<void> {
    const middle = positions.length >>> 1;
    await this.#deliver(events, positions.slice(0, middle), endMs, rejected);
    await this.#deliver(events, positions.slice(middle), endMs, rejected);
  }

  async #request(events: readonly unknown[], positions: Positions): Promise<Answer> {
    const body = JSON.stringify(positions.map((position) => events[position]));
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      text = await response.text();
    } catch (error) {
      return { kind: 'wait', pauseMs: null, reason: connectionProblem(error) };
    }
    return readAnswer(response, text, positions);
  }

  async #pause(attempt: number, pauseMs: number | null, reason: string, endMs: number): Promise<void> {
    this.#retries += 1;
    this.#trouble = reason;
    const waitMs = Math.min(LONGEST_PAUSE_MS, pauseMs ?? FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10));
    if (this.#clock.monotonicMs() + waitMs > endMs) {
      throw new NiobeError('DEADLINE', `no answer from ${this.#url} within ${this.#patienceMs} ms: ${reason}`);
    }
    await this.#sleep(waitMs);
  }

  #sleep(waitMs: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        reject(new NiobeError('CLOSED', `stopped while waiting for ${this.#url}`));
      };
      const timer = this.#clock.after(waitMs, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }
}

/** Puts refusals for good into `rejected`; what was refused for now is returned, to be sent again. */
function sortOut(refused: readonly Rejection[], positions: Positions, rejected: Rejection[]): Positions {
  const again: number[] = [];
  for (const rejection of refused) {
    const position = positions[rejection.index];
    if (position === undefined) continue;
    if (PASSING_CODES.has(rejection.code)) again.push(position);
    else rejected.push({ ...rejection, index: position });
  }
  return again;
}

function readAnswer(response: Response, text: string, positions: Positions): Answer {
  const { status } = response;
  if (status === 202) return { kind: 'answered', rejected: [] };
  if (status === 207) return { kind: 'answered', rejected: parseAnswer(text).rejected ?? [] };
  if (status === 503 || status === 429) {
    return { kind: 'wait', pauseMs: retryAfterMs(response), reason: `the collector answers ${status}${codeOf(text)}` };
  }
  if (status === 413 && positions.length > 1) return { kind: 'split' };
  if (status >= 500) return { kind: 'wait', pauseMs: null, reason: `the collector answers ${status}${codeOf(text)}` };
  const problem = parseAnswer(text);
  if (status === 413)
    return { kind: 'answered', rejected: [{ index: 0, code: 'TOO_LARGE', path: '', detail: problem.detail ?? '' }] };
  throw new NiobeError(
    'BAD_REQUEST',
    `the collector answers ${status}${codeOf(text)}: ${problem.detail ?? 'no detail'}`,
  );
}

interface AnswerBody {
  readonly rejected?: Rejection[];
  readonly code?: string;
  readonly detail?: string;
}

function parseAnswer(text: string): AnswerBody {
  try {
    return (JSON.parse(text) ?? {}) as AnswerBody;
  } catch {
    return {};
  }
}

function codeOf(text: string): string {
  const { code } = parseAnswer(text);
  return typeof code === 'string' ? ` ${code}` : '';
}

function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function connectionProblem(error: unknown): string {
  if (isNiobeError(error)) return error.message;
  const cause = error instanceof Error ? error.cause : undefined;
  return `no connection to the collector (${messageOf(cause ?? error)})`;
}
