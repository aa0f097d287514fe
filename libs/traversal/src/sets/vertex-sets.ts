import { VertexSet } from './vertex-set.ts';

/** The {@link VertexSet}s of a search at one shard, by the 20 high bits of a cell id. */
export class VertexSets {
  /** In the order in which they were made. */
  readonly all: VertexSet[] = [];
  /** By partition, then generation. */
  readonly #sets: (VertexSet | undefined)[][];
  readonly #owners: Uint16Array;
  #isCounting = false;

  /** @param owners by partition: index of the shard that owns it. */
  constructor(owners: Uint16Array) {
    this.#owners = owners;
    this.#sets = Array.from({ length: owners.length }, () => []);
  }

  /** Bytes they hold. O(sets). */
  get bytes(): number {
    let bytes = 0;
    for (const set of this.all) bytes += set.bytes;
    return bytes;
  }

  /** The set for `high` (`partition << 8 | generation`); undefined for a partition that the grid does not have. */
  of(high: number): VertexSet | undefined {
    const generations = this.#sets[high >>> GENERATION_BITS];
    return generations === undefined
      ? undefined
      : (generations[high & GENERATION_MASK] ?? this.#make(generations, high));
  }

  /** Counts how many vertices lead to each candidate from now on; between two steps. */
  count(): void {
    this.#isCounting = true;
    for (const set of this.all) set.count();
  }

  #make(generations: (VertexSet | undefined)[], high: number): VertexSet {
    const set = new VertexSet(high, this.#owners[high >>> GENERATION_BITS]!);
    if (this.#isCounting) set.count();
    const generation = high & GENERATION_MASK;
    while (generations.length <= generation) generations.push(undefined);
    generations[generation] = set;
    this.all.push(set);
    return set;
  }
}

const GENERATION_BITS = 8;
const GENERATION_MASK = 0xff;
