import type { SchemaTable } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import type { Arena } from './arena.ts';
import { Batch } from './batch.ts';
import { SecondaryIndexes } from './indexes/secondary-indexes.ts';
import { KeyIndex } from './key-index.ts';
import { Log, type LogOptions } from './log.ts';
import { SchemaEntries } from './schema-entries.ts';
import { SlotTable } from './slot-table.ts';
import { Pins } from './snapshot/pins.ts';
import { StoredKeys } from './stored-keys.ts';

/** What one partition consists of; its reader, writer, cleaner and recovery work on the same parts. */
export interface Parts {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly schemas: SchemaTable;
  readonly log: Log;
  readonly slots: SlotTable;
  readonly pins: Pins;
  readonly keys: StoredKeys;
  readonly index: KeyIndex;
  readonly indexes: SecondaryIndexes;
  readonly definitions: SchemaEntries;
  readonly batch: Batch;
}

/** The parts of an empty partition. */
export function emptyParts(options: Omit<LogOptions, 'pins'> & { readonly schemas: SchemaTable }): Parts {
  const { arena, clock, schemas } = options;
  const pins = new Pins(arena);
  const log = new Log({ ...options, pins });
  const slots = new SlotTable(arena.slotPool, pins);
  const keys = new StoredKeys(arena, slots, schemas);
  const index = new KeyIndex(keys, arena.indexPool);
  const indexes = new SecondaryIndexes({ arena, slots, schemas });
  const definitions = new SchemaEntries();
  const batch = new Batch({ arena, log, slots, index, indexes, schemas, definitions });
  return { arena, clock, schemas, log, slots, pins, keys, index, indexes, definitions, batch };
}

/** Frees all memory of a partition. */
export function closeParts(parts: Parts): void {
  parts.pins.close();
  parts.slots.close();
  parts.index.close();
  parts.log.close();
}
