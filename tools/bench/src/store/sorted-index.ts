/** Ranges of a sorted index beside full scans of the same cells, and puts into a store with two indexes beside one without. */
import { compileSchema, SchemaTable, type Clause, type CompiledSchema, type IndexDeclaration } from '@niobe/cells';
import { assert, ByteWriter, seededRandom, systemClock, type Random } from '@niobe/kernel';
import { Arena, noEvents, PartitionStore } from '@niobe/store';
import type { BenchGroup } from '../bench-group.ts';
import { interleaved, type Measure } from '../measure.ts';
import { CELLS_PER_COMMIT, shuffled } from './loaded-store.ts';
import { atLeast, roundsOf, sizesOf, sizeText } from './plan.ts';

/** Cells that a range matches. */
const MATCHES = 1_000;
/** Ranges of one round: a full scan is timed as one. */
const RANGES = 50;
/** Rounds before the first that counts: a shard has answered more than some hundred questions since its code was loaded. */
const WARM_ROUNDS = 10;
const SIZE = 1_000_000;
/** Bytes of an entry, its share of slots and pages included, and what segments filled in part may take. */
const ENTRY_BYTES_MAX = 128;
const SLACK_BYTES: number = 128 * 1024 * 1024;

const TWO_INDEXES: Readonly<Record<string, IndexDeclaration>> = {
  by_price: { on: 'price', kind: 'sorted' },
  by_vendor: { on: 'vendor', kind: 'sorted' },
};

export const sortedIndex: BenchGroup = {
  summary: 'ranges of a sorted index beside full scans, puts with two indexes beside puts without',
  async run(options) {
    const measures: Measure[] = [];
    for (const cells of sizesOf(options, [SIZE])) measures.push(...(await measuresOf(cells, roundsOf(options))));
    return measures;
  },
};

async function measuresOf(cells: number, rounds: number): Promise<Measure[]> {
  const puts = await interleaved(
    rounds,
    async () => new Offers(cells, TWO_INDEXES).load(),
    async () => new Offers(cells, {}).load(),
  );
  const offers = new Offers(cells, TWO_INDEXES);
  offers.load();
  const scan = async (): Promise<number> => offers.fullScansPerSecond();
  for (let round = 0; round < WARM_ROUNDS; round++) offers.askEverything();
  const planned = await interleaved(rounds, async () => offers.plannedScansPerSecond(), scan);
  const ordered = await interleaved(rounds, async () => offers.rangesPerSecond(), scan);
  const of = sizeText(cells);
  const goal = atLeast(100);
  return [
    { ...row(`scan for ${MATCHES} of ${of}, index`, 'scans/s', 'full scan'), ...planned, goal },
    { ...row(`range of ${MATCHES} of ${of}, in order`, 'ranges/s', 'full scan'), ...ordered, goal },
    { ...row(`put of ${of}, 64 B, two indexes`, 'puts/s', 'put without index'), ...puts, goal: atLeast(0.4) },
    { ...row(`bytes of two indexes, ${of}`, 'B/cell', ''), candidate: [offers.indexBytes() / cells], reference: [] },
  ];
}

function row(measure: string, unit: string, against: string): Pick<Measure, 'group' | 'measure' | 'unit' | 'against'> {
  return { group: 'store/sorted-index', measure, unit, against };
}

/** Cells of 64 B with a price that no other has and one of 100,000 vendors. */
class Offers {
  readonly #cells: number;
  readonly #schema: CompiledSchema;
  readonly #store: PartitionStore;
  readonly #random: Random = seededRandom(7);
  readonly #prices: Uint32Array;

  constructor(cells: number, indexes: Readonly<Record<string, IndexDeclaration>>) {
    this.#cells = cells;
    const fields = { price: { type: 'i32' }, vendor: { type: 'i32' }, blob: { type: 'bytes' } };
    this.#schema = compileSchema(1, 1, { name: 'offers', key: 'integer', fields, indexes });
    const schemas = new SchemaTable();
    schemas.add(this.#schema);
    const arena = new Arena({ bytes: cells * ENTRY_BYTES_MAX + SLACK_BYTES });
    const partition = { partition: 0, epoch: 1, firstSegment: 1 };
    this.#store = new PartitionStore({ ...partition, arena, schemas, clock: systemClock, events: noEvents });
    this.#prices = shuffled(cells, this.#random);
  }

  /** Puts all cells; puts a second, encoding them not counted. */
  load(): number {
    let spentMs = 0;
    const block = new ByteWriter(1024 * 1024);
    const starts = new Uint32Array(CELLS_PER_COMMIT + 1);
    for (let first = 0; first < this.#cells; first += CELLS_PER_COMMIT) {
      const count = Math.min(CELLS_PER_COMMIT, this.#cells - first);
      block.reset();
      for (let i = 0; i < count; i++) {
        starts[i] = block.length;
        this.#writeCell(first + i, block);
      }
      starts[count] = block.length;
      const startMs = systemClock.monotonicMs();
      this.#put(block.buffer, starts, count);
      spentMs += systemClock.monotonicMs() - startMs;
    }
    return (this.#cells * 1000) / spentMs;
  }

  #writeCell(n: number, block: ByteWriter): void {
    this.#schema.encodeKey(n, block);
    const price = this.#prices[n]!;
    this.#schema.encode({ price, vendor: this.#random.below(100_000), blob: BLOB }, block);
  }

  #put(bytes: Uint8Array, starts: Uint32Array, count: number): void {
    const store = this.#store;
    store.begin();
    for (let i = 0; i < count; i++) {
      const bodyAt = starts[i]! + KEY_BYTES;
      store.put(this.#schema.id, bytes, starts[i]!, KEY_BYTES, bodyAt, starts[i + 1]! - bodyAt, 0);
    }
    store.commit();
  }

  /** One round of each kind, of which no figure is taken. */
  askEverything(): void {
    this.fullScansPerSecond();
    this.plannedScansPerSecond();
    this.rangesPerSecond();
  }

  fullScansPerSecond(): number {
    const predicate = this.#schema.compilePredicate(this.#randomRange());
    return this.#rate(1, (visit) => this.#store.scan(this.#schema.id, predicate, 0, Infinity, Infinity, visit));
  }

  plannedScansPerSecond(): number {
    const { indexes } = this.#store;
    return this.#rate(RANGES, (visit) => {
      const clauses = this.#randomRange();
      const plan = indexes.plan(this.#schema.id, clauses);
      indexes.scan(plan, this.#schema.compilePredicate(clauses), 0, Infinity, Infinity, visit);
    });
  }

  rangesPerSecond(): number {
    return this.#rate(RANGES, (visit) => {
      const [from, to] = this.#randomRange();
      const range = { from: from!.value, to: to!.value, toIsOpen: true, limit: Infinity };
      this.#store.indexes.range(this.#schema.id, 'by_price', range, visit);
    });
  }

  #randomRange(): Clause[] {
    const from = this.#random.below(this.#cells - MATCHES);
    const price = this.#schema.path('price');
    return [price.clause('ge', from), price.clause('lt', from + MATCHES)];
  }

  /** Runs a second; each of them must find what it looks for. */
  #rate(runs: number, run: (visit: (slot: number) => void) => void): number {
    let visited = 0;
    const startMs = systemClock.monotonicMs();
    for (let i = 0; i < runs; i++) run(() => (visited += 1));
    const spentMs = systemClock.monotonicMs() - startMs;
    assert(visited === runs * MATCHES, 'every range finds its cells');
    return (runs * 1000) / spentMs;
  }

  indexBytes(): number {
    return this.#store.indexes.report().reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

const KEY_BYTES = 8;
/** Makes bodies of 64 bytes: the count, two i32, an end offset, and this. */
const BLOB = new Uint8Array(64 - 1 - 8 - 2);
