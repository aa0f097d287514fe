import type { Deployment } from '@niobe/events';
import type { PasteCommand } from './paste-command.ts';
import type { SampleEvent, SampleValue } from './sample-event.ts';

/** Commands about the graph: who of those who share an edge leads where else, or, where all edges come from files, how to load one. */

/** An edge type as far as the commands need it; declarations that are none are left to the services to refuse. */
interface EdgeOutline {
  readonly name: string;
  readonly to: string;
  readonly from: string;
  readonly directed: boolean;
}

/** An edge that an event becomes: its fields with the keys of the two ends. */
interface EdgeRule {
  readonly edge: string;
  readonly to: string;
}

const ALSO_ROWS = 5;
const LEVELS_MAX = 1000;

/** Addresses of what these commands ask. */
export interface GraphUrls {
  readonly traversal: string;
  /** Null where no tool can join from outside. */
  readonly nats: string | null;
}

/** What these commands are made from; see `CommandFacts`. */
interface GraphFacts {
  readonly deployment: Deployment;
  readonly deploymentOption: string;
  readonly urls: GraphUrls;
  readonly busyKey: string | null;
}

/** @param event the event that the reader is told to post, or null. */
export function graphCommands(facts: GraphFacts, event: SampleEvent | null): PasteCommand[] {
  const { deployment, urls, busyKey } = facts;
  const edges = deployment.edges.map(({ declaration }) => outline(declaration));
  const ruled = event === null ? null : ruledEdge(deployment, event, edges);
  if (ruled !== null && event !== null) {
    const key = busyKey ?? event.data[ruled.rule.to];
    return key === undefined ? [] : [alsoCommand(ruled.edge, key, urls.traversal)];
  }
  const first = edges[0];
  if (first === undefined || deployment.topics.length > 0) return [];
  return [...loadCommand(facts, edges), levelsCommand(first, firstKey(deployment, first), urls.traversal)];
}

/** Loads a file of edges, one a line, where the system can be reached. */
function loadCommand({ deploymentOption, urls }: GraphFacts, edges: readonly EdgeOutline[]): PasteCommand[] {
  if (urls.nats === null) return [];
  const edge = edges.length > 1 ? ` --edge ${edges[0]!.name}` : '';
  const options = `--format snap --deployment ${deploymentOption}${edge} --nats ${urls.nats}`;
  return [{ title: 'load a graph', line: `npm run load -- graph FILE ${options}` }];
}

function outline(declaration: unknown): EdgeOutline {
  const { name, from, to, directed } = declaration as Partial<Record<keyof EdgeOutline, unknown>>;
  return { name: String(name), from: String(from), to: String(to), directed: directed !== false };
}

/** The first edge that the event becomes. */
function ruledEdge(
  deployment: Deployment,
  event: SampleEvent,
  edges: readonly EdgeOutline[],
): { readonly edge: EdgeOutline; readonly rule: EdgeRule } | null {
  for (const { declaration } of deployment.mappings) {
    const { on } = declaration as { on?: Readonly<Record<string, { edges?: readonly EdgeRule[] } | undefined>> };
    const rule = on?.[event.type]?.edges?.[0];
    const edge = edges.find(({ name }) => name === rule?.edge);
    if (rule !== undefined && edge !== undefined) return { edge, rule };
  }
  return null;
}

/** From a vertex back over the edge to all who lead to it, and on to where else they lead. */
function alsoCommand({ name, to, directed }: EdgeOutline, key: SampleValue, traversalUrl: string): PasteCommand {
  const hops = [
    { edge: name, direction: directed ? 'in' : 'both' },
    { edge: name, direction: directed ? 'out' : 'both' },
  ];
  const search = { start: [{ schema: to, key }], hops, return: 'vertices', count: true, limit: ALSO_ROWS };
  return { title: `who ${name} ${String(key)} also ${name}`, line: searchLine(search, traversalUrl) };
}

/** How far everything is from one vertex. */
function levelsCommand({ name, from, directed }: EdgeOutline, key: SampleValue, traversalUrl: string): PasteCommand {
  const hops = [{ edge: name, direction: directed ? 'out' : 'both', repeat: LEVELS_MAX }];
  const search = { start: [{ schema: from, key }], hops, return: 'levels' };
  return { title: `count what ${from} ${String(key)} reaches, level by level`, line: searchLine(search, traversalUrl) };
}

function firstKey({ cells }: Deployment, { from }: EdgeOutline): SampleValue {
  return cells.find(({ name }) => name === from)?.key === 'integer' ? 0 : 'demo';
}

function searchLine(search: object, traversalUrl: string): string {
  return `curl -s -X POST ${traversalUrl}/v1/traverse -H 'content-type: application/json' -d '${JSON.stringify(search)}'`;
}
