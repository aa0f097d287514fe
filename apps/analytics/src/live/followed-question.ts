import type { CubeAnswer } from '@niobe/aggregates';
import { deferred, isNiobeError, type Clock, type NiobeError, type Timer } from '@niobe/kernel';
import { problemOf } from '@niobe/service';
import { eventText, type EventStream } from './event-stream.ts';

/** Pause between an answer and the next look; longer where the look before took longer, so that half of the time is free. */
export const LOOK_PAUSE_MS = 250;
/** Pause after a look that failed. */
const TROUBLE_PAUSE_MS = 1_000;

/** One question, asked again and again for all who follow it. They are told its answer, and then each answer that differs. */
export class FollowedQuestion {
  readonly #ask: () => Promise<CubeAnswer>;
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();
  readonly #answered = deferred<void>();
  /** What a newcomer is told. */
  #event: string | null = null;
  /** The answer that was told last, without its moment; null after a trouble. */
  #state: string | null = null;
  #trouble: string | null = null;
  #pause: Timer | null = null;

  constructor(ask: () => Promise<CubeAnswer>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
    void this.#look();
  }

  /** Settles with the first look; later troubles are told to the followers. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  get followers(): Iterable<EventStream> {
    return this.#streams;
  }

  add(stream: EventStream): void {
    this.#streams.add(stream);
    if (this.#event !== null) stream.tell(this.#event);
  }

  /** Returns whether nobody is left; then the question is not asked any more. */
  remove(stream: EventStream): boolean {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return false;
    this.#pause?.cancel();
    return true;
  }

  async #look(): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    let pauseMs = TROUBLE_PAUSE_MS;
    try {
      this.#tellAnswer(await this.#ask());
      pauseMs = Math.max(LOOK_PAUSE_MS, this.#clock.monotonicMs() - startMs);
      this.#answered.resolve();
    } catch (error) {
      this.#answered.reject(error);
      if (this.#event === null) return;
      if (!isNiobeError(error)) throw error;
      this.#tellTrouble(error);
    }
    if (this.#streams.size > 0) this.#pause = this.#clock.after(pauseMs, () => void this.#look());
  }

  #tellAnswer(answer: CubeAnswer): void {
    const { rows, cursor } = answer;
    const state = JSON.stringify([rows, cursor]);
    if (state === this.#state) return;
    this.#state = state;
    this.#trouble = null;
    this.#tell(eventText(null, answer));
  }

  #tellTrouble(error: NiobeError): void {
    if (error.code === this.#trouble) return;
    this.#state = null;
    this.#trouble = error.code;
    this.#tell(eventText('problem', problemOf(error)));
  }

  #tell(event: string): void {
    this.#event = event;
    for (const stream of this.#streams) stream.tell(event);
  }
}
