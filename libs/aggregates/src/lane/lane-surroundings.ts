import type { CompiledSchema } from '@niobe/cells';
import type { EventCatalogue, EventLog, EventProducer } from '@niobe/events';
import type { Clock, Logger, Random } from '@niobe/kernel';
import type { CellGrid } from './cell-grid.ts';
import type { LaneCounters } from './lane-counters.ts';

/** What all lanes of a process stand on. */
export interface LaneSurroundings {
  readonly grid: CellGrid;
  readonly log: EventLog;
  /** For dead letters; null where another process writes them. */
  readonly producer: EventProducer | null;
  readonly catalogue: EventCatalogue;
  readonly seenSchema: CompiledSchema;
  /** Begin of the keys of deduplication cells: kinds of lanes that do not wait for each other have cells of their own. */
  readonly seenPrefix: string;
  /** Begin of the names of consumer groups. */
  readonly group: string;
  /** Identity of this run of the process, in keys of cells that only it writes. */
  readonly writer: string;
  readonly counters: LaneCounters;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
