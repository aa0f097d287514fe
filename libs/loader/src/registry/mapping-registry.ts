import type { SharedMap, SharedMaps } from '@niobe/grid';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import type { Mapping } from '../mapping/mapping.ts';

/**
 * The map `mappings`: the definition of each mapping that has been loaded from topics.
 *
 * A mapping whose definition is not the recorded one is refused: under its new revision it would read its topics from their start and add
 * to counters what they hold already, and what the old one made cannot be told from what others made.
 */

interface MappingRow {
  readonly revision: string;
}

export class MappingRegistry {
  readonly #map: SharedMap<MappingRow>;

  private constructor(map: SharedMap<MappingRow>) {
    this.#map = map;
  }

  static async open(maps: SharedMaps): Promise<MappingRegistry> {
    return new MappingRegistry(await maps.open('mappings', parseRow));
  }

  /** Records what is new. Throws `INCOMPATIBLE`, naming every mapping that is recorded with another definition. */
  async register(mappings: readonly Mapping[]): Promise<void> {
    const problems: string[] = [];
    for (const { name, revision } of mappings) {
      if ((await this.#recorded(name, revision)) === revision) continue;
      problems.push(
        `mapping ${name} is not the one that was loaded, and what that made stays: give it its old definition, ` +
          'or another name and edge types of its own',
      );
    }
    if (problems.length > 0) throw new NiobeError('INCOMPATIBLE', problems.join('\n'), { problems });
  }

  /** The revision on record, which is `revision` where there was none. */
  async #recorded(name: string, revision: string): Promise<string> {
    const found = await this.#map.get(name);
    if (found !== null) return found.value.revision;
    try {
      await this.#map.create(name, { revision });
      return revision;
    } catch (error) {
      if (!isNiobeError(error, 'EXISTS')) throw error;
      return this.#recorded(name, revision);
    }
  }

  close(): void {
    this.#map.close();
  }
}

function parseRow(row: unknown): MappingRow {
  const { revision } = Object(row) as Record<string, unknown>;
  if (typeof revision === 'string') return { revision };
  throw new NiobeError('MALFORMED', 'a row of the map mappings has another shape than this service knows');
}
