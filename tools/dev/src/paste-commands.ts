import type { Deployment, EventFieldDeclaration, EventTypeDeclaration } from '@niobe/events';

/**
 * Commands for the reader to paste: post an event, see it counted, ask a cube. They are made from the deployment itself, so that they
 * are right for any deployment, not just for the shipped ones.
 */

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

export interface PasteCommands {
  /** Posts one event. */
  readonly post: string;
  /** Shows the count that the event raises by one. */
  readonly count: string;
  /** The largest groups of a cube; null where the deployment has no cube with a dimension. */
  readonly top: string | null;
}

const SAMPLE_TEXT = 'demo';
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

/** The commands, or null for a deployment without a cube that counts. */
export function pasteCommands(
  deployment: Deployment,
  cubes: readonly CubeOutline[],
  urls: { readonly collector: string; readonly analytics: string },
): PasteCommands | null {
  const cube =
    cubes.find((one) => one.window === 'all' && one.counts.length > 0) ?? cubes.find((one) => one.counts.length > 0);
  const type = deployment.events.find((event) => event.type === cube?.on[0]);
  if (cube === undefined || type === undefined) return null;
  const data = sampleData(type);
  const event = JSON.stringify({ type: type.type, data });
  return {
    post: `curl -s -X POST ${urls.collector}/v1/events -H 'content-type: application/json' -d '${event}'`,
    count: `curl -s '${urls.analytics}${countQuery(cube, data)}'`,
    top: topQuery(cubes, urls.analytics),
  };
}

type SampleValue = string | number | boolean | readonly SampleValue[];

/** One value for each field of the type that must be there. */
function sampleData(type: EventTypeDeclaration): Record<string, SampleValue> {
  const data: Record<string, SampleValue> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    if (field.optional !== true) data[name] = field.array === true ? [sampleValue(field)] : sampleValue(field);
  }
  return data;
}

function sampleValue(field: EventFieldDeclaration): SampleValue {
  switch (field.type) {
    case 'bool':
      return true;
    case 'i32':
    case 'i64':
    case 'u32':
    case 'u64':
    case 'f64':
      return 1;
    case 'decimal':
      return (1).toFixed(field.scale ?? 0);
    case 'enum':
      return field.values?.[0] ?? '';
    case 'timestamp':
      return '2020-01-01T00:00:00Z';
    case 'bytes':
      return 'AA==';
    case 'text':
      return SAMPLE_TEXT;
  }
}

/** The group that the sample event falls into: by the largest set of dimensions that the event has. */
function countQuery(cube: CubeOutline, data: Readonly<Record<string, SampleValue>>): string {
  const sets = cube.by.filter((set) => set.every((dimension) => dimension in data));
  const dimensions = sets.reduce<readonly string[]>((best, set) => (set.length > best.length ? set : best), []);
  const parameters = new URLSearchParams({ by: dimensions.join(',') });
  for (const dimension of dimensions) parameters.set(dimension, String(data[dimension]));
  return cubeQuery(cube, parameters);
}

function topQuery(cubes: readonly CubeOutline[], analytics: string): string | null {
  for (const cube of cubes) {
    const set = cube.by.find((dimensions) => dimensions.length === 1);
    const measure = cube.counts[0];
    if (set === undefined || measure === undefined) continue;
    const parameters = new URLSearchParams({ by: set[0]!, order: `-${measure}`, limit: String(TOP_ROWS) });
    return `curl -s '${analytics}${cubeQuery(cube, parameters)}'`;
  }
  return null;
}

function cubeQuery(cube: CubeOutline, parameters: URLSearchParams): string {
  if (cube.window !== 'all') parameters.set('panes', 'merged');
  return `/v1/cubes/${encodeURIComponent(cube.name)}?${parameters.toString().replaceAll('%2C', ',')}`;
}
