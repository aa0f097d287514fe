import type { CompiledSchema } from '@niobe/cells';
import type { EventCatalogue, EventLog, EventProducer } from '@niobe/events';
import type { Clock, Logger, Random } from '@niobe/kernel';
import type { SchemaOf } from '../fold/folder.ts';
import type { CellGrid } from './cell-grid.ts';
import type { LaneCounters } from './lane-counters.ts';

/** What all lanes of a process stand on. */
export interface LaneSurroundings {
  readonly grid: CellGrid;
  readonly log: EventLog;
  /** For dead letters. */
  readonly producer: EventProducer;
  readonly catalogue: EventCatalogue;
  readonly schemaOf: SchemaOf;
  readonly seenSchema: CompiledSchema;
  /** Begin of the names of consumer groups. */
  readonly group: string;
  /** Identity of this run of the process, in keys of cells that only it writes. */
  readonly writer: string;
  readonly counters: LaneCounters;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
