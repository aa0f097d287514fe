import { isNiobeError } from '@niobe/kernel';
import { refusalOf, type BusMessage, type Refusal } from '@niobe/grid';
import { durableWaitMs } from './deadline.ts';
import { isDurable, type Durability, type DurablePoint } from './durability.ts';

/** What a reader waits with. */
export interface ReadWait {
  readonly durability: Durability;
  /** How long the asker still waits. */
  readonly leftMs: number;
}

/**
 * Sends `answer` once all that it shows is durable; where that fails, `refused` makes what is sent instead: a reader can ask again.
 */
export function answerWhenDurable(
  message: BusMessage,
  answer: Uint8Array,
  shown: readonly DurablePoint[],
  wait: ReadWait,
  refused: (refusal: Refusal) => Uint8Array,
): void {
  const waiting = shown.filter((point) => !isDurable(wait.durability, point));
  if (waiting.length === 0) return message.reply(answer);
  const waitMs = durableWaitMs(wait.leftMs);
  Promise.all(waiting.map(({ partition, seq }) => wait.durability.whenDurable(partition, seq, waitMs))).then(
    () => message.reply(answer),
    (error: unknown) => {
      if (!isNiobeError(error)) throw error;
      message.reply(refused(refusalOf(error)));
    },
  );
}
