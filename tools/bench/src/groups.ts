import type { BenchGroup } from './bench-group.ts';
import { collector } from './collector-group.ts';
import { graph } from './graph-group.ts';
import { grid } from './grid-group.ts';
import { latency } from './latency-group.ts';
import { stream } from './stream-group.ts';

/** Every group by its name on the command line. */
export const GROUPS: Readonly<Record<string, BenchGroup>> = { collector, graph, grid, latency, stream };
