import { isNiobeError, NiobeError } from '@niobe/kernel';
import { PARTITION_HASH } from './placement.ts';
import { integerField, objectRow, textField } from './row-shape.ts';
import type { SharedMap, SharedMaps } from './shared-map.ts';

/**
 * What is decided once, at the first start of a system, and must hold for ever: recorded in the shared map and in each backup. A
 * service that would disagree refuses to start, because it would look for cells where they are not.
 */

/** Version of what is stored: segments, frames and rows together. */
export const STORAGE_FORMAT = 2;

const PARTITIONS_MAX = 4096;
const KEY = 'facts';

/** The facts row. */
export interface Facts {
  /** A power of two. */
  readonly partitions: number;
  /** Name and version of the hash that picks the partition of a key. */
  readonly hash: string;
  /** Identity of the system, given at its birth; 16 bytes in hex. */
  readonly birthId: string;
  readonly format: number;
}

/** Reads a facts row, or throws `MALFORMED`. */
export function parseFacts(row: unknown): Facts {
  const object = objectRow(row, 'the facts row');
  const partitions = integerField(object, 'partitions', 1, PARTITIONS_MAX, 'the facts row');
  if ((partitions & (partitions - 1)) !== 0)
    throw new NiobeError('MALFORMED', `the facts row: ${partitions} partitions is no power of two`);
  return {
    partitions,
    hash: textField(object, 'hash', 'the facts row'),
    birthId: textField(object, 'birthId', 'the facts row'),
    format: integerField(object, 'format', 1, 0xffff, 'the facts row'),
  };
}

/** Facts of a new system. */
export function newFacts(partitions: number, birthId: string): Facts {
  return { partitions, hash: PARTITION_HASH, birthId, format: STORAGE_FORMAT };
}

/** Throws `INCOMPATIBLE`, naming every difference, unless this service can work with `found`. */
export function checkFacts(found: Facts, partitions: number): void {
  const problems: string[] = [];
  if (found.partitions !== partitions)
    problems.push(`${found.partitions} partitions are recorded, ${partitions} are configured`);
  if (found.hash !== PARTITION_HASH)
    problems.push(`hash ${found.hash} is recorded, this service has ${PARTITION_HASH}`);
  if (found.format !== STORAGE_FORMAT)
    problems.push(`format ${found.format} is recorded, this service has ${STORAGE_FORMAT}`);
  if (problems.length > 0)
    throw new NiobeError('INCOMPATIBLE', `this service does not fit the system: ${problems.join('; ')}`);
}

/** The map `facts` with its one row. */
export class FactsRow {
  readonly #map: SharedMap<Facts>;

  private constructor(map: SharedMap<Facts>) {
    this.#map = map;
  }

  static async open(maps: SharedMaps): Promise<FactsRow> {
    return new FactsRow(await maps.open('facts', parseFacts));
  }

  /** The facts as the leader has them, or null where nobody has recorded any. */
  async read(): Promise<Facts | null> {
    return (await this.#map.get(KEY))?.value ?? null;
  }

  /** Records `facts` unless somebody was first; returns what is recorded now. */
  async record(facts: Facts): Promise<Facts> {
    try {
      await this.#map.create(KEY, facts);
      return facts;
    } catch (error) {
      if (!isNiobeError(error, 'EXISTS')) throw error;
      return (await this.read()) ?? facts;
    }
  }
}
