import { every, messageOf, type Clock, type Logger, type Timer } from '@niobe/kernel';
import type { CompiledSchema, SchemaTable } from '@niobe/cells';
import { FIRST_SCHEMA_ID, type Facts, type SchemaCatalogue } from '@niobe/grid';
import type { BackupClient, Catalogue } from '@niobe/replication';
import { encodeCatalogue } from './stored-catalogue.ts';

/**
 * The schemas in which cells may be written: those that a backup server keeps. A cell whose schema only NATS knew would be
 * unreadable, and its id given to another schema, if NATS lost its store. So a schema of the catalogue becomes writable when the
 * whole catalogue was taken by one backup server at least; the others are brought up to date as they can be reached.
 */

/** How often the table is looked at for schemas that are new, in milliseconds. */
const LOOK_MS = 250;

/** How often backup servers are asked what they keep, because one may have lost its disk. */
const ASK_MS = 10_000;

/** What {@link WritableSchemas} needs. */
export interface WritableSchemasOptions {
  readonly facts: Facts;
  readonly table: SchemaTable;
  readonly catalogue: SchemaCatalogue;
  readonly backups: readonly BackupClient[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See the head of this file. */
export class WritableSchemas {
  readonly #options: WritableSchemasOptions;
  /** By id. */
  readonly #writable: (CompiledSchema | undefined)[] = [];
  /** What each backup server is known to keep, as a {@link stateOf}; by place in `backups`. */
  readonly #kept: string[];
  readonly #timers: readonly Timer[];
  #telling: Promise<void> | null = null;

  constructor(options: WritableSchemasOptions) {
    this.#options = options;
    this.#kept = options.backups.map(() => '');
    for (const schema of options.table.list()) if (schema.id < FIRST_SCHEMA_ID) this.#writable[schema.id] = schema;
    this.#timers = [
      every(options.clock, LOOK_MS, () => this.tell()),
      every(options.clock, ASK_MS, () => void this.#kept.fill('')),
    ];
  }

  /** The schema of this id if cells may be written in it. O(1). */
  get(id: number): CompiledSchema | undefined {
    return this.#writable[id];
  }

  /** Tells the backup servers what they do not know yet. Never rejects; a backup server that is away is told later. */
  tell(): Promise<void> {
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = null));
    return this.#telling;
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  async #tellAll(): Promise<void> {
    const { table, backups, catalogue, facts, logger } = this.#options;
    const schemas = table.list();
    const state = stateOf(schemas);
    const ignorant = backups.filter((_, index) => this.#kept[index] !== state);
    if (ignorant.length === 0) return;
    try {
      const stored = encodeCatalogue({ facts, schemas: await catalogue.snapshot() });
      const told = await Promise.allSettled(ignorant.map((backup) => tellOne(backup, stored)));
      for (const [index, { status }] of told.entries())
        if (status === 'fulfilled') this.#kept[backups.indexOf(ignorant[index]!)] = state;
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the schema catalogue cannot be read; schemas that are new wait');
    }
    if (backups.length === 0 || this.#kept.includes(state))
      for (const schema of schemas) this.#writable[schema.id] = schema;
  }
}

/** Which schemas there are, in which revisions. */
function stateOf(schemas: readonly CompiledSchema[]): string {
  return schemas.map(({ id, revision }) => `${id}.${revision}`).join();
}

/** Writes only where something is missing: a catalogue costs its backup server a turn of the disk. */
async function tellOne(backup: BackupClient, stored: Catalogue): Promise<void> {
  const kept = await backup.catalogue();
  if (kept === null || kept.revision < stored.revision) await backup.putCatalogue(stored);
}
