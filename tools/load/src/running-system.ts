import { GridCells } from '@niobe/aggregates';
import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import type { Deployment } from '@niobe/events';
import { compileEdgeTypes, type EdgeType } from '@niobe/graph';
import { CURSOR_SCHEMA_ID, joinGrid } from '@niobe/grid';
import { NiobeError, silentLogger, silentMeter, systemClock, systemRandom } from '@niobe/kernel';
import type { GraphLoadParts, LoadTarget } from '@niobe/loader';
import { connectNats, type NatsGrid } from '@niobe/nats';

const CONNECT_TIMEOUT_MS = 5_000;

/** A running system, as this tool sees it. */
export interface RunningSystem {
  readonly parts: GraphLoadParts;
  readonly schemas: SchemaTable;
  close(): Promise<void>;
}

/** Joins the system of a deployment. `UNAVAILABLE` where NATS is away, `NOT_READY` where no shard was ever started. */
export async function joinSystem(deployment: Deployment, url: string): Promise<RunningSystem> {
  const random = systemRandom();
  const nats = await connectNats({
    servers: [url],
    name: 'niobe-load',
    deployment: deployment.name,
    replicas: 1,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    clock: systemClock,
    random,
    logger: silentLogger,
  });
  try {
    return await joined(deployment, nats);
  } catch (error) {
    await nats.close();
    throw error;
  }
}

async function joined(deployment: Deployment, nats: NatsGrid): Promise<RunningSystem> {
  const parts = { clock: systemClock, random: systemRandom(), logger: silentLogger, meter: silentMeter };
  const grid = await joinGrid(deployment, { bus: nats.bus, maps: nats.maps, ...parts });
  const { client, schemas } = grid;
  return {
    parts: {
      ...parts,
      grid: new GridCells(client, deployment.partitions, schemas.get(CURSOR_SCHEMA_ID)!),
      ids: client,
    },
    schemas,
    close: async () => {
      grid.close();
      await nats.close();
    },
  };
}

/** The edge type to be loaded: the one of this name, or the only one. `UNKNOWN_EDGE`, `BAD_REQUEST`. */
export function chooseEdge(deployment: Deployment, name: string | null): EdgeType {
  const types = compileEdgeTypes(deployment.edges, deployment.cells);
  const [only] = types;
  if (name === null && only !== undefined && types.length === 1) return only;
  const found = types.find((type) => type.name === name);
  if (found !== undefined) return found;
  const names = types.map((type) => type.name).join(', ') || 'none';
  if (name === null) throw new NiobeError('BAD_REQUEST', `say --edge: deployment "${deployment.name}" has ${names}`);
  throw new NiobeError(
    'UNKNOWN_EDGE',
    `deployment "${deployment.name}" has no edge type "${name}"; there are ${names}`,
  );
}

/** Where edges of a type are stored. `NOT_READY` where the running system does not know it yet. */
export function targetOf(edge: EdgeType, schemas: SchemaTable): LoadTarget {
  const registered = (name: string): CompiledSchema => {
    const schema = schemas.byName(name);
    if (schema !== undefined) return schema;
    throw new NiobeError(
      'NOT_READY',
      `the running system has no cells "${name}": start its shards again with the deployment as it is now`,
    );
  };
  return {
    edge,
    from: registered(edge.from),
    to: registered(edge.to),
    schemas: {
      source: registered(edge.adjacency(edge.directed ? 'out' : 'both')),
      target: registered(edge.adjacency(edge.directed ? 'in' : 'both')),
      counters: edge.counterSchema === null ? null : registered(edge.counterSchema),
    },
  };
}
