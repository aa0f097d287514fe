import type { TopicDeclaration } from '@niobe/events';
import type { Meter } from '@niobe/kernel';
import { CACHED_IDS_MAX, KNOWN_EDGES, STAGE_BYTES_MAX, type IdCache, type TopicLoader } from '@niobe/loader';

/** Gauges of a loader: how far it is behind, what it waits for, what it holds, and the bounds it keeps to. */
export function loaderGauges(
  meter: Meter,
  loader: TopicLoader,
  cache: IdCache,
  topics: readonly TopicDeclaration[],
): void {
  for (const { name, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) lagGauge(meter, loader, name, partition);
  }
  const total = (read: 'seenIds' | 'seenBytes') => (): number =>
    loader.report().reduce((sum, share) => sum + share[read], 0);
  meter.gauge('loader_open_lanes', 'Lanes; more than one for a topic while a mapping catches up', () => loader.lanes);
  meter.gauge('loader_seen_ids', 'Event ids in the deduplication tables', total('seenIds'));
  meter.gauge('loader_seen_bytes', 'Memory of the deduplication tables', total('seenBytes'));
  meter.gauge('loader_cached_ids', 'Vertices whose ids are remembered', () => cache.size);
  const waiting = (): number => loader.report().filter((share) => share.waiting !== null).length;
  meter.gauge('loader_paused_partitions', 'Kafka partitions that wait for the grid or the log', waiting);
  const bound = (name: string, help: string, value: number): void =>
    meter.gauge(`loader_${name}_limit`, `Bound: ${help}`, () => value);
  bound('cached_ids', 'vertices of one schema whose ids are remembered', CACHED_IDS_MAX);
  bound('known_edges', 'edges that are remembered as linked', KNOWN_EDGES);
  bound('stage_bytes', 'operations of one grid partition in one stage and run', STAGE_BYTES_MAX);
}

function lagGauge(meter: Meter, loader: TopicLoader, topic: string, partition: number): void {
  const help = 'Records of a Kafka partition that are not loaded yet, by the lane that is furthest behind';
  const read = (): number => {
    const shares = loader.report().filter((share) => share.topic === topic && share.partition === partition);
    return Math.max(0, ...shares.map(({ lag }) => lag));
  };
  meter.gauge('loader_lag_records', help, read, { topic, partition: String(partition) });
}
