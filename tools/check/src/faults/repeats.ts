import type { Random } from '@niobe/kernel';
import type { EventLine } from '../batch-sender.ts';

const REPEATED_SHARE = 0.05;
const SOON_EVENTS = 500;
const FAR_EVENTS = 50_000;
/** Bound of what waits to be repeated: 5 % of the far distance and some. */
const FAR_SPREAD_EVENTS = 20_000;

/**
 * The lines, 5 % of them twice: half of the repeats follow within some hundred events (well under a second), half more than 50,000
 * events later.
 */
export async function* withRepeats(lines: AsyncIterable<EventLine>, random: Random): AsyncGenerator<EventLine> {
  const due = new Map<number, EventLine[]>();
  let at = 0;
  for await (const line of lines) {
    yield line;
    at += 1;
    if (random.next() < REPEATED_SHARE) later(due, at + distance(random), line);
    yield* due.get(at) ?? [];
    due.delete(at);
  }
  for (const rest of due.values()) yield* rest;
}

function distance(random: Random): number {
  return random.next() < 0.5 ? 1 + random.below(SOON_EVENTS) : FAR_EVENTS + random.below(FAR_SPREAD_EVENTS);
}

function later(due: Map<number, EventLine[]>, at: number, line: EventLine): void {
  const lines = due.get(at);
  if (lines === undefined) due.set(at, [line]);
  else lines.push(line);
}
