import type { Deployment } from '@niobe/events';
import { cubeCommands, type CubeOutline, type CubeUrls } from './cube-commands.ts';
import { graphCommands, type GraphUrls } from './graph-commands.ts';
import type { PasteCommand } from './paste-command.ts';
import { sampleEvent } from './sample-event.ts';

/** Addresses of what the commands ask. */
export interface CommandUrls extends CubeUrls, GraphUrls {}

/** What the commands are made from. */
export interface CommandFacts {
  readonly deployment: Deployment;
  /** Name or path by which a tool finds it. */
  readonly deploymentOption: string;
  readonly cubes: readonly CubeOutline[];
  readonly urls: CommandUrls;
  /** Key of a vertex with many edges, where one is known beforehand. */
  readonly busyKey: string | null;
}

/**
 * Commands for the reader to paste. They are made from the deployment itself, so that they are right for any deployment, not just for the
 * shipped ones; one that counts nothing and has no edges gets none.
 */
export function pasteCommands(facts: CommandFacts): PasteCommand[] {
  const { deployment, cubes, urls } = facts;
  const cube =
    cubes.find((one) => one.window === 'all' && one.counts.length > 0) ?? cubes.find((one) => one.counts.length > 0);
  const type = deployment.events.find((event) => event.type === cube?.on[0]) ?? deployment.events[0];
  const event = type === undefined ? null : sampleEvent(type);
  const counted = cube === undefined || event === null ? [] : cubeCommands(cube, cubes, event, urls);
  return [...counted, ...graphCommands(facts, event)];
}
