import type { Deployment } from '@niobe/events';
import type { PasteCommand } from './paste-command.ts';
import type { SampleEvent, SampleValue } from './sample-event.ts';

/** Commands about events and cubes: post one, see it counted, ask for the largest groups, follow them. */

/** What these commands need to know of a declared cube. */
export interface CubeOutline {
  readonly name: string;
  /** Event types. */
  readonly on: readonly string[];
  /** Sets of dimensions. */
  readonly by: readonly (readonly string[])[];
  /** `1m`, `1h`, `1d` or `all`. */
  readonly window: string;
  /** Measures that are counts. */
  readonly counts: readonly string[];
}

const TOP_ROWS = 5;

/** The outlines of the deployment's cubes; declarations that are no cubes are left to the services to refuse. */
export function cubeOutlines(deployment: Deployment): CubeOutline[] {
  return deployment.cubes.map(({ declaration }) => {
    const cube = declaration as Partial<Record<'name' | 'on' | 'by' | 'window' | 'measures', unknown>>;
    const counts = Object.entries((cube.measures ?? {}) as Record<string, unknown>);
    return {
      name: String(cube.name),
      on: (cube.on ?? []) as string[],
      by: (cube.by ?? []) as string[][],
      window: String(cube.window),
      counts: counts.filter(([, measure]) => measure === 'count').map(([name]) => name),
    };
  });
}

/** Base URLs of what these commands ask. */
export interface CubeUrls {
  readonly collector: string;
  readonly analytics: string;
}

/** @param cube one that counts the event. */
export function cubeCommands(
  cube: CubeOutline,
  cubes: readonly CubeOutline[],
  event: SampleEvent,
  urls: CubeUrls,
): PasteCommand[] {
  const post = `curl -s -X POST ${urls.collector}/v1/events -H 'content-type: application/json' -d '${JSON.stringify(event)}'`;
  const count = countQuestion(cube, event.data);
  const top = topQuestion(cubes);
  const url = ({ cube: name, parameters }: Question, live = ''): string =>
    `'${urls.analytics}/v1/cubes/${encodeURIComponent(name)}${live}?${parameters}'`;
  return [
    { title: 'post an event', line: post },
    { title: 'see it counted', line: `curl -s ${url(count)}` },
    ...(top === null ? [] : [{ title: 'ask a cube', line: `curl -s ${url(top)}` }]),
    { title: 'follow it live', line: `curl -sN ${url(top ?? count, '/live')}` },
  ];
}

/** What to ask of which cube, as query parameters. */
interface Question {
  readonly cube: string;
  readonly parameters: string;
}

/** The group that the sample event falls into: by the largest set of dimensions that the event has. */
function countQuestion(cube: CubeOutline, data: Readonly<Record<string, SampleValue>>): Question {
  const sets = cube.by.filter((set) => set.every((dimension) => dimension in data));
  const dimensions = sets.reduce<readonly string[]>((best, set) => (set.length > best.length ? set : best), []);
  const parameters = new URLSearchParams({ by: dimensions.join(',') });
  for (const dimension of dimensions) parameters.set(dimension, String(data[dimension]));
  return question(cube, parameters);
}

/** The largest groups of a cube; null where the deployment has no cube with a dimension. */
function topQuestion(cubes: readonly CubeOutline[]): Question | null {
  for (const cube of cubes) {
    const set = cube.by.find((dimensions) => dimensions.length === 1);
    const measure = cube.counts[0];
    if (set === undefined || measure === undefined) continue;
    return question(cube, new URLSearchParams({ by: set[0]!, order: `-${measure}`, limit: String(TOP_ROWS) }));
  }
  return null;
}

function question(cube: CubeOutline, parameters: URLSearchParams): Question {
  if (cube.window !== 'all') parameters.set('panes', 'merged');
  return { cube: cube.name, parameters: parameters.toString().replaceAll('%2C', ',') };
}
