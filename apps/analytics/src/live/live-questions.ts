import type { CubeAnswer } from '@niobe/aggregates';
import { every, NiobeError, type Clock, type Timer } from '@niobe/kernel';
import { EventStream } from './event-stream.ts';
import { FollowedQuestion } from './followed-question.ts';

/**
 * The questions that are followed live. Followers of one question share its looks at the grid; the last to go ends them. A follower is
 * counted from its request on until its connection is closed.
 */

/** Bound of connections that follow. */
export const FOLLOWERS_MAX = 256;
/** Bound of different questions: each is asked of the grid up to four times a second. */
export const QUESTIONS_MAX = 32;
const HEARTBEAT_MS = 15_000;
const RETRY_AFTER_MS = 5_000;

export class LiveQuestions {
  readonly #clock: Clock;
  readonly #questions = new Map<string, FollowedQuestion>();
  readonly #heartbeat: Timer;
  #followers = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heartbeat = every(clock, HEARTBEAT_MS, () => this.#beat());
  }

  get followers(): number {
    return this.#followers;
  }

  get questions(): number {
    return this.#questions.size;
  }

  /**
   * A stream of the answers of `ask`, when the first is there; what the first look throws is thrown. Throws `RATE_LIMITED` beyond
   * {@link FOLLOWERS_MAX} and {@link QUESTIONS_MAX}.
   * @param key the same for questions that may share one answer.
   */
  async follow(key: string, ask: () => Promise<CubeAnswer>): Promise<EventStream> {
    if (this.#closed) throw new NiobeError('NOT_READY', 'this process is about to end');
    if (this.#followers === FOLLOWERS_MAX) throw tooMany(`${FOLLOWERS_MAX} connections follow cubes`);
    const question = this.#question(key, ask);
    const stream = new EventStream();
    this.#followers += 1;
    stream.once('close', () => this.#leave(key, question, stream));
    question.add(stream);
    try {
      await question.answered;
    } catch (error) {
      this.#forget(key, question);
      stream.destroy();
      throw error;
    }
    return stream;
  }

  /** Ends all streams; nobody can follow afterwards. */
  close(): void {
    this.#closed = true;
    this.#heartbeat.cancel();
    for (const { followers } of this.#questions.values()) for (const stream of followers) stream.complete();
  }

  #question(key: string, ask: () => Promise<CubeAnswer>): FollowedQuestion {
    const found = this.#questions.get(key);
    if (found !== undefined) return found;
    if (this.#questions.size === QUESTIONS_MAX) throw tooMany(`${QUESTIONS_MAX} different questions are followed`);
    const question = new FollowedQuestion(ask, this.#clock);
    this.#questions.set(key, question);
    return question;
  }

  #leave(key: string, question: FollowedQuestion, stream: EventStream): void {
    this.#followers -= 1;
    if (question.remove(stream)) this.#forget(key, question);
  }

  /** Whoever asks the same again begins with a look of their own. */
  #forget(key: string, question: FollowedQuestion): void {
    if (this.#questions.get(key) === question) this.#questions.delete(key);
  }

  #beat(): void {
    for (const { followers } of this.#questions.values()) for (const stream of followers) stream.beat();
  }
}

function tooMany(what: string): NiobeError {
  return new NiobeError(
    'RATE_LIMITED',
    `${what} already, and more are not served: follow one of them, or ask again later`,
    {
      retryAfterMs: RETRY_AFTER_MS,
    },
  );
}
