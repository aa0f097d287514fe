import type { Counter, Histogram, Meter } from '@niobe/kernel';
import type { SchemaTable } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import type { Arena, PartitionStore } from '@niobe/store';
import type { EdgeEnds } from './handlers/link-ends.ts';
import { QUEUE_BYTES_MAX } from './limits.ts';
import type { Seats } from './partitions/seats.ts';
import type { RequestDesk } from './requests/request-desk.ts';

const COMMIT_SECONDS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];
const WAIT_SECONDS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What a shard counts as it works. */
export interface ShardCounters {
  readonly gets: Counter;
  readonly writes: Counter;
  readonly scans: Counter;
  readonly keysRead: Counter;
  readonly operationsWritten: Counter;
  readonly rowsScanned: Counter;
  readonly writtenBytes: Counter;
  readonly cleanedBytes: Counter;
  readonly cleanerSeconds: Counter;
  readonly edgeEndsAdded: Counter;
  readonly linksWithoutVertex: Counter;
  readonly commitSeconds: Histogram;
  readonly durableWaitSeconds: Histogram;
}

/** Declares the counters and histograms. */
export function shardCounters(meter: Meter): ShardCounters {
  const requests = (kind: string): Counter =>
    meter.counter('requests_total', 'Request frames that were taken, by kind.', { kind });
  const operations = (kind: string): Counter =>
    meter.counter('operations_total', 'Keys read, operations committed and rows scanned.', { kind });
  return {
    gets: requests('get'),
    writes: requests('write'),
    scans: requests('scan'),
    keysRead: operations('get'),
    operationsWritten: operations('write'),
    rowsScanned: operations('scan'),
    writtenBytes: meter.counter('written_bytes_total', 'Bytes that writers appended to the log.'),
    cleanedBytes: meter.counter('cleaner_moved_bytes_total', 'Bytes of live entries that the cleaner moved.'),
    cleanerSeconds: meter.counter('cleaner_seconds_total', "The cleaner's share of the thread."),
    edgeEndsAdded: meter.counter('edge_ends_added_total', 'Neighbours that links added to lists.'),
    linksWithoutVertex: meter.counter('links_without_vertex_total', 'Links of vertices that had been deleted.'),
    commitSeconds: meter.histogram('commit_seconds', 'Time a batch took in the store.', COMMIT_SECONDS),
    durableWaitSeconds: meter.histogram(
      'durable_wait_seconds',
      'Time an executed write waited for the backup servers.',
      WAIT_SECONDS,
    ),
  };
}

/** Declares what the exporter reads from the parts of the shard. */
export function gaugeShard(
  meter: Meter,
  parts: { arena: Arena; seats: Seats; desk: RequestDesk; unanswered: () => number },
): void {
  const { arena, seats, desk, unanswered } = parts;
  const sum = (of: (store: PartitionStore) => number): number => {
    let total = 0;
    for (const store of seats.stores()) total += of(store);
    return total;
  };
  meter.gauge('live_cells', 'Cells, expired ones included until the cleaner comes by.', () =>
    sum((store) => store.cells),
  );
  meter.gauge('index_bytes', 'Key index, outside the arena.', () => sum((store) => store.counts.indexBytes));
  for (const kind of ['live', 'dead', 'free', 'retired', 'reserve'] as const)
    meter.gauge(
      'arena_bytes',
      'The arena by use; retired is a part of dead, reserve of free.',
      () => arena.report()[kind],
      { kind },
    );
  meter.gauge('arena_limit_bytes', 'Size of the arena.', () => arena.capacityBytes);
  meter.gauge('arena_pressure_ratio', 'How scarce memory is, 0 to 1.', () => arena.pressure);
  meter.gauge(
    'write_cost_ratio',
    'Bytes written and moved for each byte written, since the partitions were opened.',
    () => {
      const writtenBytes = sum((store) => store.counts.writtenBytes);
      return writtenBytes === 0 ? 1 : 1 + sum((store) => store.counts.movedBytes) / writtenBytes;
    },
  );
  for (const state of ['serving', 'recovering', 'damaged', 'fenced'] as const)
    meter.gauge('owned_partitions', 'Partitions of this shard by state.', () => seats.count(state), { state });
  meter.gauge('queue_bytes', 'Requests that wait for the thread, overhead included.', () => desk.waitingBytes);
  meter.gauge('queue_limit_bytes', 'Bound of queue_bytes.', () => QUEUE_BYTES_MAX);
  meter.gauge('queue_requests', 'Requests that wait for the thread.', () => desk.waiting);
  meter.gauge('unanswered_requests', 'Writes that were executed and wait for the backup servers.', unanswered);
}

/** Declares how many vertices there are, and how many ends of edges they list: both ends of an edge, each in its own direction. */
export function gaugeGraph(
  meter: Meter,
  edges: readonly EdgeType[],
  parts: { seats: Seats; schemas: SchemaTable; ends: EdgeEnds },
): void {
  const { seats, schemas, ends } = parts;
  const sum = (name: string, of: (store: PartitionStore, schemaId: number) => number): number => {
    const schema = schemas.byName(name);
    let total = 0;
    if (schema !== undefined) for (const store of seats.stores()) total += of(store, schema.id);
    return total;
  };
  for (const vertex of new Set(edges.flatMap(({ from, to }) => [from, to])))
    meter.gauge(
      'graph_vertices',
      'Cells that edges can join, by schema; expired ones included until the cleaner comes by.',
      () => sum(vertex, (store, schemaId) => store.cellsOf(schemaId)),
      { schema: vertex },
    );
  for (const edge of edges)
    for (const direction of edge.directions)
      meter.gauge(
        'graph_edge_ends',
        'Neighbours in the lists of all vertices, by edge type and direction.',
        () => sum(edge.adjacency(direction), (store, schemaId) => ends.of(store, schemaId)),
        { edge: edge.name, direction },
      );
}
