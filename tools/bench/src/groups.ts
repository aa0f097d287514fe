import type { BenchGroup } from './bench-group.ts';
import { collector } from './collector-group.ts';
import { graph } from './graph-group.ts';
import { grid } from './grid-group.ts';
import { latency } from './latency-group.ts';
import { STORE_GROUPS } from './store-group.ts';
import { stream } from './stream-group.ts';

/** Every group by its name on the command line; a folder of groups, `store`, stands for all in it. */
export const GROUPS: Readonly<Record<string, BenchGroup>> = {
  collector,
  graph,
  grid,
  latency,
  ...STORE_GROUPS,
  stream,
};

/** The names of the groups that a name on the command line stands for; none where there is no such group. */
export function groupNames(name: string): string[] {
  return Object.keys(GROUPS).filter((known) => known === name || known.startsWith(`${name}/`));
}
