import type { SchemaTable } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import type { Arena } from './arena.ts';
import { Batch } from './batch.ts';
import { KeyIndex } from './key-index.ts';
import { Log, type LogOptions } from './log.ts';
import { SchemaEntries } from './schema-entries.ts';
import { SlotTable } from './slot-table.ts';

/** What one partition consists of; its reader, writer, cleaner and recovery work on the same parts. */
export interface Parts {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly schemas: SchemaTable;
  readonly log: Log;
  readonly slots: SlotTable;
  readonly index: KeyIndex;
  readonly definitions: SchemaEntries;
  readonly batch: Batch;
}

/** The parts of an empty partition. */
export function emptyParts(options: LogOptions & { readonly schemas: SchemaTable }): Parts {
  const { arena, clock, schemas } = options;
  const log = new Log(options);
  const slots = new SlotTable();
  const index = new KeyIndex(arena.bytes, arena.words, slots);
  const definitions = new SchemaEntries();
  const batch = new Batch({ arena, log, slots, index, schemas, definitions });
  return { arena, clock, schemas, log, slots, index, definitions, batch };
}
