import type { CompiledSchema, IndexDeclaration, SchemaTable } from '@niobe/cells';
import type { Clock } from '@niobe/kernel';
import { auditIndex } from './audit-index.ts';
import { SecondaryIndex, type IndexParts } from './secondary-index.ts';

/**
 * All secondary indexes of a partition, as the newest revisions of its schemas declare them.
 *
 * 1. A batch tells each change as it makes it, and the reverse of it when it is rolled back, as with the index of keys: so what indexes
 *    hold is what the slots point to, and a commit has nothing to do.
 * 2. That a schema has a new revision is noticed at the next write or question. An index that was dropped is freed then; one that was
 *    added is built, at once where there is no cell yet, else in slices of {@link build}.
 * 3. Indexes are not in the log: a recovery builds them from the cells.
 */
export class SecondaryIndexes {
  readonly #parts: IndexParts & { readonly schemas: SchemaTable };
  readonly #bySchema: (IndexedSchema | undefined)[] = [];

  constructor(parts: IndexParts & { readonly schemas: SchemaTable }) {
    this.#parts = parts;
  }

  /** Tells that the cell at `before` gives way to the one at `after` (0 is none), before the slot table says so. */
  replace(schemaId: number, slot: number, before: number, after: number): void {
    const indexes = this.of(schemaId);
    for (let i = 0; i < indexes.length; i++) indexes[i]!.replace(slot, before, after);
  }

  /** The indexes of a schema, those under construction included. */
  of(schemaId: number): readonly SecondaryIndex[] {
    const schema = this.#parts.schemas.get(schemaId);
    const known = this.#bySchema[schemaId];
    if (known !== undefined && known.schema === schema) return known.indexes;
    return schema === undefined ? NO_INDEXES : this.#learn(schema, known?.indexes ?? NO_INDEXES);
  }

  /** The indexes that the schema declares now. */
  #learn(schema: CompiledSchema, before: readonly SecondaryIndex[]): readonly SecondaryIndex[] {
    const kept = before.filter((index) => index.follow(schema));
    for (const index of before) if (!kept.includes(index)) index.drop();
    const indexes = Object.entries(schema.declaration.indexes ?? {}).map(
      ([name, declaration]) => kept.find((index) => index.name === name) ?? this.#newIndex(schema, name, declaration),
    );
    this.#bySchema[schema.id] = { schema, indexes };
    return indexes;
  }

  #newIndex(schema: CompiledSchema, name: string, declaration: IndexDeclaration): SecondaryIndex {
    const index = new SecondaryIndex(this.#parts, schema, name, declaration);
    if (this.#parts.slots.cellsOf(schema.id) === 0) index.complete();
    return index;
  }

  /** Fills indexes that are not complete for about `budgetMs`; true while there is more to do. Not while a batch is open. */
  build(clock: Clock, budgetMs: number): boolean {
    const endMs = clock.monotonicMs() + budgetMs;
    for (const known of this.#bySchema) {
      for (const index of known?.indexes ?? NO_INDEXES) {
        while (!index.isComplete) {
          index.build(known!.schema.id, BUILD_SLOTS);
          if (clock.monotonicMs() >= endMs) return true;
        }
      }
    }
    return false;
  }

  /** Builds the indexes of all schemas, once recovery has placed all cells. */
  rebuild(): void {
    for (const { id } of this.#parts.schemas.list()) {
      for (const index of this.of(id)) while (!index.isComplete) index.build(id, BUILD_SLOTS);
    }
  }

  /** Asserts that every complete index holds what the cells say; see {@link auditIndex}. */
  audit(): void {
    const { arena, slots } = this.#parts;
    for (const { schema, index } of this.all()) if (index.isComplete) auditIndex(index, schema.id, arena, slots);
  }

  all(): { readonly schema: CompiledSchema; readonly index: SecondaryIndex }[] {
    return this.#bySchema.flatMap((known) =>
      known === undefined ? [] : known.indexes.map((index) => ({ schema: known.schema, index })),
    );
  }
}

/** A schema's indexes, and the revision that declared them. */
interface IndexedSchema {
  readonly schema: CompiledSchema;
  readonly indexes: readonly SecondaryIndex[];
}

const NO_INDEXES: readonly SecondaryIndex[] = [];
/** Slots between two looks at the clock: some 200 us where every one has a cell. */
const BUILD_SLOTS = 256;
