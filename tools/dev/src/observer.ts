import type { Clock } from '@niobe/kernel';
import type { CubeOutline } from './cube-commands.ts';
import { sumsByLabel, sumsByName } from './prometheus-text.ts';
import type { ServiceLine, Snapshot, TopGroups } from './snapshot.ts';

/** Looks at a running system through its public doors only: probes, metrics and a cube. */

/** A part of the system to look at. */
export interface ObservedService {
  readonly name: string;
  /** What is shown, and for HTTP services asked. */
  readonly url: string;
  /** Whether it has probes and metrics; otherwise {@link trouble} alone tells. */
  readonly http: boolean;
  /** Why the process cannot be ready, such as that it is being started again; empty when it runs. */
  trouble(): string;
  memoryBytes(): number | null;
}

export interface ObserverOptions {
  readonly services: readonly ObservedService[];
  /** Base URL of the queries. */
  readonly analyticsUrl: string;
  readonly cubes: readonly CubeOutline[];
  readonly clock: Clock;
}

/** Names in the services' metrics. */
const ACCEPTED_EVENTS = 'niobe_ingest_events_accepted_total';
const CUBES_LAG = 'niobe_analytics_lag_records';
const GRAPH_LAG = 'niobe_ingest_loader_lag_records';
const CELLS = 'niobe_storage_shard_live_cells';
const VERTICES = 'niobe_storage_shard_graph_vertices';
const EDGE_ENDS = 'niobe_storage_shard_graph_edge_ends';

const ASK_TIMEOUT_MS = 2_000;
const MINUTE_MS = 60_000;
const TOP_GROUPS = 5;

/** What one service says of itself. */
interface Figures {
  readonly sums: ReadonlyMap<string, number>;
  /** Ends of edges by direction. */
  readonly edgeEnds: ReadonlyMap<string, number>;
}

export class Observer {
  readonly #options: ObserverOptions;
  #eventsBefore: { readonly events: number; readonly atMs: number } | null = null;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  async look(): Promise<Snapshot> {
    const { services } = this.#options;
    const [lines, pages, top] = await Promise.all([
      Promise.all(services.map(serviceLine)),
      Promise.all(services.filter((service) => service.http).map(metricsOf)),
      this.#top(),
    ]);
    return {
      services: lines,
      eventsPerSecond: this.#rate(total(pages, ACCEPTED_EVENTS)),
      consumerLag: largest(total(pages, CUBES_LAG), total(pages, GRAPH_LAG)),
      cells: total(pages, CELLS),
      vertices: total(pages, VERTICES),
      edges: edgeCount(pages),
      top,
    };
  }

  /** Events accepted per second since the look before. */
  #rate(events: number | null): number | null {
    const before = this.#eventsBefore;
    const atMs = this.#options.clock.monotonicMs();
    this.#eventsBefore = events === null ? null : { events, atMs };
    if (events === null || before === null || events < before.events) return null;
    return ((events - before.events) * 1000) / Math.max(1, atMs - before.atMs);
  }

  /** Of the minute before this one and of this one so far, from a cube by minutes. */
  async #top(): Promise<TopGroups | null> {
    const cube = this.#options.cubes.find((one) => one.window === '1m' && one.counts.length > 0);
    const dimension = cube?.by.find((set) => set.length === 1)?.[0];
    const measure = cube?.counts[0];
    if (cube === undefined || dimension === undefined || measure === undefined) return null;
    const thisMinuteMs = Math.floor(this.#options.clock.nowMs() / MINUTE_MS) * MINUTE_MS;
    const sinceMs = thisMinuteMs - MINUTE_MS;
    const parameters = new URLSearchParams({
      by: dimension,
      from: new Date(sinceMs).toISOString(),
      to: new Date(thisMinuteMs + MINUTE_MS).toISOString(),
      panes: 'merged',
      order: `-${measure}`,
      limit: String(TOP_GROUPS),
    });
    const url = `${this.#options.analyticsUrl}/v1/cubes/${encodeURIComponent(cube.name)}?${parameters.toString()}`;
    const rows = rowsOf(await ask(url));
    if (rows === null) return null;
    const groups = rows.map((row) => ({ name: String(row[dimension]), count: Number(row[measure]) }));
    return { dimension, measure, sinceMs, groups };
  }
}

async function serviceLine(service: ObservedService): Promise<ServiceLine> {
  const { name, url } = service;
  const trouble = service.trouble();
  const reason = trouble !== '' || !service.http ? trouble : await unreadiness(url);
  return { name, url, ready: reason === '', reason, memoryBytes: service.memoryBytes() };
}

/** Why the service says it is not ready; empty when it is. */
export async function unreadiness(url: string): Promise<string> {
  const answer = await ask(`${url}/readyz`);
  if (answer === null) return 'no answer';
  if (answer.status === 200) return '';
  const { detail } = (parseJson(answer.text) ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : `answers ${answer.status}`;
}

async function metricsOf({ url }: ObservedService): Promise<Figures> {
  const page = (await ask(`${url}/metrics`))?.text ?? '';
  return { sums: sumsByName(page), edgeEnds: sumsByLabel(page, EDGE_ENDS, 'direction') };
}

/** Each directed edge leaves one vertex; one without direction has both its ends under one name. Null where no edges are declared. */
function edgeCount(pages: readonly Figures[]): number | null {
  if (total(pages, EDGE_ENDS) === null) return null;
  const ends = (direction: string): number =>
    pages.reduce((sum, { edgeEnds }) => sum + (edgeEnds.get(direction) ?? 0), 0);
  return ends('out') + Math.ceil(ends('both') / 2);
}

/** Sum of one metric over all services; null where none has it. */
function total(pages: readonly Figures[], name: string): number | null {
  const values = pages.flatMap(({ sums }) => sums.get(name) ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

function largest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(url: string): Promise<Answer | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}

function rowsOf(answer: Answer | null): readonly Record<string, unknown>[] | null {
  if (answer?.status !== 200) return null;
  const { rows } = (parseJson(answer.text) ?? {}) as { rows?: unknown };
  return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
