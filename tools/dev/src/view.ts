import type { PasteCommand } from './paste-command.ts';
import type { Snapshot } from './snapshot.ts';
import type { Death } from './supervised-unit.ts';

/** What a view shows once everything is ready. */
export interface ReadyFacts {
  readonly title: string;
  readonly startSeconds: number;
  readonly commands: readonly PasteCommand[];
  /** Where logs and data are; other things worth knowing. */
  readonly notes: readonly string[];
}

/** Where the launcher speaks to people: a live screen on a terminal, plain lines elsewhere. */
export interface View {
  /** One step of starting or stopping. */
  step(text: string): void;
  /** A process died. */
  death(name: string, death: Death): void;
  /** Everything is ready: from now on snapshots come. */
  ready(facts: ReadyFacts): void;
  show(snapshot: Snapshot): void;
  /** No more snapshots; steps may still come. */
  endLive(): void;
}

/** The lines of a death, oldest log line first. */
export function deathLines(name: string, { how, lastLines, restartMs }: Death): string[] {
  const next = restartMs === null ? 'not started again' : `starting again in ${(restartMs / 1000).toFixed(1)} s`;
  return [`${name} ended (${how}); ${next}`, ...lastLines.map((line) => `  | ${line}`)];
}
