import { every, type Clock, type Timer } from '@niobe/kernel';
import type { Snapshot } from './snapshot.ts';
import { deathLines, type ReadyFacts, type View } from './view.ts';
import type { Death } from './supervised-unit.ts';
import { clockTime, count } from './wording.ts';

/** Lines for a pipe or a file: each step, the commands once everything is ready, then a status line every few seconds. */

const STATUS_EVERY_MS = 10_000;

export class PlainView implements View {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #snapshot: Snapshot | null = null;
  #status: Timer | null = null;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  step(text: string): void {
    this.#write(text);
  }

  death(name: string, death: Death): void {
    for (const line of deathLines(name, death)) this.#write(line);
  }

  ready({ title, startSeconds, commands, notes }: ReadyFacts): void {
    const pasted = commands.flatMap((command) => [`${command.title}:`, `  ${command.line}`]);
    // One write: whoever waits for the first line finds the commands with it.
    this.#write([`ready in ${startSeconds.toFixed(1)} s: ${title}`, ...notes, ...pasted].join('\n'));
    this.#status = every(this.#clock, STATUS_EVERY_MS, () => this.#writeStatus());
  }

  show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  endLive(): void {
    this.#status?.cancel();
  }

  #writeStatus(): void {
    if (this.#snapshot !== null) this.#write(statusLine(this.#snapshot));
  }
}

export function statusLine(snapshot: Snapshot): string {
  const { services, eventsPerSecond, consumerLag, cells, vertices, edges, top } = snapshot;
  const waiting = services.filter((service) => !service.ready).map(({ name, reason }) => `${name}: ${reason}`);
  const why = waiting.length === 0 ? '' : ` (${waiting.join(', ')})`;
  const health = `${services.length - waiting.length} of ${services.length} ready${why}`;
  const flow = `${count(eventsPerSecond)} events/s, lag ${count(consumerLag)}, ${count(cells)} cells`;
  const graph = vertices === null && edges === null ? '' : `, ${count(vertices)} vertices, ${count(edges)} edges`;
  return `${health}; ${flow}${graph}${top === null ? '' : `; ${topLine(top)}`}`;
}

function topLine({ dimension, sinceMs, groups }: NonNullable<Snapshot['top']>): string {
  const names = groups.map(({ name, count: size }) => `${name} ${count(size)}`).join(', ');
  return `top ${dimension} since ${clockTime(sinceMs)} UTC: ${names || 'nothing yet'}`;
}
