import { compareRevisions, compileSchema, joinRevisions, parseDeclaration, withTexts } from '@niobe/cells';
import type { CompiledSchema, SchemaDeclaration, SchemaTable } from '@niobe/cells';
import { deferred, isNiobeError, NiobeError, type Deferred, type Logger } from '@niobe/kernel';
import { integerField, objectRow } from './row-shape.ts';
import type { MapEntry, MapValue, SharedMap, SharedMaps, Watch } from './shared-map.ts';
import { FIRST_SCHEMA_ID, SYSTEM_SCHEMAS } from './system-schemas.ts';

/**
 * The map `schemas`: which id a cell schema has, for ever, and how it is declared now.
 *
 * 1. A row per name: id, revision, declaration. Equal declarations change nothing, compatible changes make the next revision, anything
 *    else is `INCOMPATIBLE`, naming each field and the reason. A dict gets its new texts so, too.
 * 2. Ids come from one counter row and are never given twice, also after a schema was removed: a creator takes an id first and then
 *    creates its row; the loser of a race has wasted a number and uses the winner's.
 * 3. Every process follows the map into its `SchemaTable`.
 */

/** The row that holds the next free id; no schema has such a name. */
const COUNTER_KEY = '#next-id';

const SCHEMA_ID_MAX = 0xffff;
const TRIES_MAX = 32;

/** One schema as it is registered. */
export interface SchemaRow {
  readonly id: number;
  readonly revision: number;
  readonly declaration: SchemaDeclaration;
}

interface CounterRow {
  readonly nextId: number;
}

type CatalogueRow = SchemaRow | CounterRow;

/** The whole catalogue, as the backups keep it in case the map is lost. */
export interface CatalogueSnapshot {
  readonly nextId: number;
  readonly schemas: readonly SchemaRow[];
}

/** What {@link SchemaCatalogue.open} needs. */
export interface SchemaCatalogueOptions {
  readonly maps: SharedMaps;
  /** Followed into; the system schemas are added at once. */
  readonly schemas: SchemaTable;
  readonly logger: Logger;
}

/** Registers schemas and follows what others register. */
export class SchemaCatalogue {
  /** Resolves when the schemas that were there at the opening are in the table. */
  readonly caughtUp: Promise<void>;
  readonly #map: SharedMap<CatalogueRow>;
  readonly #schemas: SchemaTable;
  readonly #logger: Logger;
  readonly #caughtUp: Deferred<void> = deferred<void>();
  readonly #watch: Watch;

  private constructor(map: SharedMap<CatalogueRow>, options: SchemaCatalogueOptions) {
    this.caughtUp = this.#caughtUp.promise;
    this.#map = map;
    this.#schemas = options.schemas;
    this.#logger = options.logger;
    for (const { id, declaration } of SYSTEM_SCHEMAS) this.#schemas.add(compileSchema(id, 1, declaration));
    this.#watch = map.watch({
      onEntry: (entry) => this.#follow(entry),
      onCaughtUp: () => this.#caughtUp.resolve(),
      onBadRow: (key) => this.#logger.error({ schema: key }, 'a schema row is not readable and is left out'),
    });
  }

  static async open(options: SchemaCatalogueOptions): Promise<SchemaCatalogue> {
    return new SchemaCatalogue(await options.maps.open('schemas', parseRow), options);
  }

  /**
   * Registers what is new and returns the schemas in the order given, in the revision that is registered now. `BAD_DECLARATION`, or
   * `INCOMPATIBLE` naming schema, field and reason; declarations before it stay registered.
   */
  async ensure(declarations: readonly SchemaDeclaration[]): Promise<CompiledSchema[]> {
    const compiled: CompiledSchema[] = [];
    for (const declaration of declarations) compiled.push(await this.#ensureOne(parseDeclaration(declaration)));
    return compiled;
  }

  /**
   * Registers texts that a `dict` does not have yet, as a new revision, and returns that: what a writer does who was refused with
   * `NOT_READY`, whose details say the `path`. `NOT_FOUND`, `BAD_REQUEST` where there is no dict, `BAD_DECLARATION` where it is full.
   */
  async ensureTexts(name: string, path: string, texts: readonly string[]): Promise<CompiledSchema> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = (await this.#map.get(name)) as MapValue<SchemaRow> | null;
      if (found === null) throw new NiobeError('NOT_FOUND', `schema ${name} is not registered`);
      const declaration = parseDeclaration(withTexts(found.value.declaration, path, texts));
      const isEqual = compareRevisions(found.value.declaration, declaration) === 'equal';
      const row = isEqual ? found.value : await this.#raise(found, declaration);
      if (row !== null) return this.#know(row);
    }
    throw new NiobeError('BUSY', `schema ${name} changed ${TRIES_MAX} times under our hands`);
  }

  /** The schemas as the leader has them. */
  async snapshot(): Promise<CatalogueSnapshot> {
    const schemas: SchemaRow[] = [];
    for (const name of await this.#map.keys()) {
      const found = name === COUNTER_KEY ? null : await this.#map.get(name);
      if (found !== null && 'id' in found.value) schemas.push(found.value);
    }
    schemas.sort((a, b) => a.id - b.id);
    return { nextId: (await this.#counter())?.value.nextId ?? FIRST_SCHEMA_ID, schemas };
  }

  /** Puts back what a lost map held; rows that exist are left as they are. */
  async restore(snapshot: CatalogueSnapshot): Promise<void> {
    await this.#createUnlessThere(COUNTER_KEY, { nextId: snapshot.nextId });
    for (const row of snapshot.schemas) await this.#createUnlessThere(row.declaration.name, row);
  }

  /** Forgets a schema whose cells are gone; its id is never given again. Tables that know it keep it until they end. */
  async remove(name: string): Promise<void> {
    await this.#map.delete(name);
  }

  close(): void {
    this.#watch.close();
    this.#map.close();
  }

  async #ensureOne(declaration: SchemaDeclaration): Promise<CompiledSchema> {
    refuseSystemName(declaration.name);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const row = await this.#registered(declaration);
      if (row !== null) return this.#know(row);
    }
    throw new NiobeError('BUSY', `schema ${declaration.name} changed ${TRIES_MAX} times under our hands`);
  }

  #know({ id, revision, declaration }: SchemaRow): CompiledSchema {
    const schema = compileSchema(id, revision, declaration);
    this.#schemas.add(schema);
    return schema;
  }

  /** The row that fits `declaration`, made or raised where needed; null when somebody else was faster. */
  async #registered(declaration: SchemaDeclaration): Promise<SchemaRow | null> {
    const found = await this.#map.get(declaration.name);
    if (found === null) return this.#create(declaration);
    const row = found.value as SchemaRow;
    const comparison = compareRevisions(row.declaration, declaration);
    if (comparison === 'equal') return row;
    if (comparison === 'added') return this.#raise(found as MapValue<SchemaRow>, declaration);
    const { reasons } = comparison;
    throw new NiobeError('INCOMPATIBLE', `schema ${declaration.name} is registered otherwise: ${reasons.join('; ')}`, {
      reasons,
    });
  }

  async #create(declaration: SchemaDeclaration): Promise<SchemaRow | null> {
    const row = { id: await this.#takeId(), revision: 1, declaration };
    return (await settles(this.#map.create(declaration.name, row))) ? row : null;
  }

  async #raise(found: MapValue<SchemaRow>, declaration: SchemaDeclaration): Promise<SchemaRow | null> {
    const { id, revision, declaration: old } = found.value;
    const row = { id, revision: revision + 1, declaration: joinRevisions(old, declaration) };
    return (await settles(this.#map.update(declaration.name, row, found.revision))) ? row : null;
  }

  async #takeId(): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const counter = await this.#counter();
      const id = counter?.value.nextId ?? FIRST_SCHEMA_ID;
      if (id > SCHEMA_ID_MAX) throw new NiobeError('TOO_LARGE', `all ${SCHEMA_ID_MAX} schema ids are given away`);
      const next = { nextId: id + 1 };
      const change =
        counter === null ? this.#map.create(COUNTER_KEY, next) : this.#map.update(COUNTER_KEY, next, counter.revision);
      if (await settles(change)) return id;
    }
    throw new NiobeError('BUSY', `the schema counter changed ${TRIES_MAX} times under our hands`);
  }

  async #counter(): Promise<MapValue<CounterRow> | null> {
    return (await this.#map.get(COUNTER_KEY)) as MapValue<CounterRow> | null;
  }

  async #createUnlessThere(key: string, row: CatalogueRow): Promise<void> {
    await settles(this.#map.create(key, row));
  }

  #follow(entry: MapEntry<CatalogueRow>): void {
    if (entry.value === null || !('id' in entry.value)) return;
    try {
      this.#schemas.add(compileSchema(entry.value.id, entry.value.revision, entry.value.declaration));
    } catch (error) {
      if (!isNiobeError(error)) throw error;
      this.#logger.error(
        { schema: entry.key, code: error.code },
        `a schema row does not fit and is left out: ${error.message}`,
      );
    }
  }
}

/** Whether a create or compare-and-set came through; false when somebody else was faster. */
async function settles(change: Promise<number>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isNiobeError(error, 'EXISTS') || isNiobeError(error, 'REVISION_MISMATCH')) return false;
    throw error;
  }
}

function refuseSystemName(name: string): void {
  if (SYSTEM_SCHEMAS.some((schema) => schema.declaration.name === name))
    throw new NiobeError('BAD_DECLARATION', `schema ${name}: the name belongs to the system; choose another`);
}

/** Reads a row of the catalogue, or throws `MALFORMED` or `BAD_DECLARATION`. */
function parseRow(row: unknown): CatalogueRow {
  const object = objectRow(row, 'a schema row');
  if ('nextId' in object)
    return { nextId: integerField(object, 'nextId', FIRST_SCHEMA_ID, SCHEMA_ID_MAX + 1, 'the schema counter') };
  return {
    id: integerField(object, 'id', FIRST_SCHEMA_ID, SCHEMA_ID_MAX, 'a schema row'),
    revision: integerField(object, 'revision', 1, 0xffff, 'a schema row'),
    declaration: parseDeclaration(object['declaration']),
  };
}

/** Reads a snapshot that a backup kept, or throws `MALFORMED` or `BAD_DECLARATION`. */
export function parseCatalogueSnapshot(value: unknown): CatalogueSnapshot {
  const object = objectRow(value, 'a catalogue');
  const schemas = object['schemas'];
  if (!Array.isArray(schemas))
    throw new NiobeError('MALFORMED', 'a catalogue: schemas is not a list', { path: 'schemas' });
  const rows = schemas.map((row) => parseRow(row)).filter((row) => 'id' in row);
  return { nextId: integerField(object, 'nextId', FIRST_SCHEMA_ID, SCHEMA_ID_MAX + 1, 'a catalogue'), schemas: rows };
}
