import { Derivations, type LaneSurroundings } from '@niobe/aggregates';
import type { CompiledSchema } from '@niobe/cells';
import type { IdCache } from '../keys/id-cache.ts';
import type { IdSource } from '../keys/id-source.ts';
import { KnownEdges } from '../links/known-edges.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { LoaderCounters } from './loader-counters.ts';
import { mappingDerivation } from './mapping-derivation.ts';

/** What a topic loader stands on. */
export interface TopicLoaderSurroundings extends Omit<LaneSurroundings, 'seenPrefix' | 'producer' | 'counters'> {
  readonly counters: LoaderCounters;
  readonly schemaOf: (name: string) => CompiledSchema;
  readonly ids: IdSource;
  readonly cache: IdCache;
  /** Default one of its own. */
  readonly known?: KnownEdges;
}

/** Keys of the deduplication cells begin so: no topic has a colon in its name. */
const SEEN_PREFIX = 'loader:';

/** Consumes every topic that a mapping reads, and keeps the mappings' vertices and edges in the grid. */
export class TopicLoader extends Derivations<Mapping> {
  /** Starts at once, in the background; what is away is waited for. Records that are no events are passed over and counted. */
  constructor(around: TopicLoaderSurroundings, mappings: readonly Mapping[]) {
    const { known = new KnownEdges() } = around;
    super(
      { ...around, producer: null, seenPrefix: SEEN_PREFIX },
      mappingDerivation({ ...around, partitions: around.grid.partitions, known }),
      mappings,
    );
  }
}
