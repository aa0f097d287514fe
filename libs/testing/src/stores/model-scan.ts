import type { CompiledSchema } from '@niobe/cells';
import { SCAN_END } from '@niobe/store';
import type { SpokenStore } from './spoken-store.ts';

/**
 * A scan that goes on while cells are written, deleted and moved by the cleaner. Ids tell which cells existed from its first call to
 * its last: an id is given once. Each of those must be visited exactly once, and no id twice.
 */
export class ModelScan {
  readonly #spoken: SpokenStore;
  readonly #schema: CompiledSchema;
  readonly #atFirst: ReadonlySet<number>;
  readonly #seen = new Set<number>();
  #cursor = 0;

  /** @param ids of the cells that there are. */
  constructor(spoken: SpokenStore, schema: CompiledSchema, ids: ReadonlySet<number>) {
    this.#spoken = spoken;
    this.#schema = schema;
    this.#atFirst = ids;
  }

  /** The next cells of about so many bytes; returns the cursor. */
  goOn(limitBytes: number): number {
    const { store } = this.#spoken;
    if (this.#cursor === SCAN_END) return SCAN_END;
    this.#cursor = store.scan(this.#schema.id, null, this.#cursor, limitBytes, Infinity, (slot) => {
      const id = store.idOf(slot);
      if (this.#seen.has(id)) throw new Error(`a scan visited ${id} twice`);
      this.#seen.add(id);
    });
    return this.#cursor;
  }

  /** @param ids of the cells that there are at the end. */
  finish(ids: ReadonlySet<number>): void {
    for (const id of this.#atFirst)
      if (ids.has(id) && !this.#seen.has(id)) throw new Error(`a scan missed ${id}, which was there throughout`);
  }
}
