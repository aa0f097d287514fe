import { compileSchema, type CellPath } from '@niobe/cells';
import { assert, ByteWriter, seededRandom, systemClock } from '@niobe/kernel';
import type { BenchGroup } from '../bench-group.ts';
import { interleaved, type Measure } from '../measure.ts';
import { atLeast, atMost, roundsOf, sizesOf, sizeText } from './plan.ts';
import { runProgram, type Figures } from './program.ts';
import { PERSON, personOf } from './twelve-fields.ts';

const RECORDS = 1000;
/** How often a round reads each record. */
const PASSES = 300;
const FILTERED_CELLS = 1_000_000;

/** One field of a record, where it lies in a body and in JSON. */
interface ReadField {
  readonly measure: string;
  readonly field: string;
  readonly read: (path: CellPath, bytes: Uint8Array, at: number, length: number) => unknown;
}

const READS: readonly ReadField[] = [
  { measure: 'a number', field: 'score', read: (path, bytes, at, length) => path.readNumber(bytes, at, length) },
  { measure: 'a text', field: 'email', read: (path, bytes, at, length) => path.read(bytes, at, length) },
];

export const fields: BenchGroup = {
  summary: 'one field of a record of twelve beside JSON.parse; a filter on one field beside an array of objects',
  async run(options) {
    const rounds = roundsOf(options);
    const measures: Measure[] = [];
    for (const field of READS) measures.push(await readMeasure(field, rounds));
    for (const cells of sizesOf(options, [FILTERED_CELLS])) measures.push(...(await filterMeasures(cells, rounds)));
    return measures;
  },
};

async function readMeasure({ measure, field, read }: ReadField, rounds: number): Promise<Measure> {
  const schema = compileSchema(1, 1, PERSON);
  const random = seededRandom(42);
  const records = Array.from({ length: RECORDS }, (_, n) => personOf(n, random));
  const texts = records.map((record) => JSON.stringify(record));
  const { bytes, starts } = bodiesOf(records.map((record) => (out) => schema.encode(record, out)));
  const path = schema.path(field);
  const ours = (i: number): unknown => read(path, bytes, starts[i]!, starts[i + 1]! - starts[i]!);
  const theirs = (i: number): unknown => (JSON.parse(texts[i]!) as Readonly<Record<string, unknown>>)[field];
  for (let i = 0; i < RECORDS; i++) assert(ours(i) === theirs(i), 'both read the same');
  readsPerSecond(ours);
  readsPerSecond(theirs);
  const figures = await interleaved(
    rounds,
    () => Promise.resolve(readsPerSecond(ours)),
    () => Promise.resolve(readsPerSecond(theirs)),
  );
  const against = 'JSON.parse of the record';
  return {
    group: 'store/fields',
    measure: `${measure} of 12 fields`,
    unit: 'reads/s',
    ...figures,
    against,
    goal: atLeast(8),
  };
}

function bodiesOf(writes: readonly ((out: ByteWriter) => void)[]): { bytes: Uint8Array; starts: Uint32Array } {
  const out = new ByteWriter(RECORDS * 1024);
  const starts = new Uint32Array(writes.length + 1);
  for (const [i, write] of writes.entries()) {
    write(out);
    starts[i + 1] = out.length;
  }
  return { bytes: out.buffer, starts };
}

function readsPerSecond(read: (i: number) => unknown): number {
  let seen = 0;
  const startMs = systemClock.monotonicMs();
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < RECORDS; i++) if (read(i) !== undefined) seen += 1;
  const spentMs = systemClock.monotonicMs() - startMs;
  assert(seen === PASSES * RECORDS, 'every record has the field');
  return (seen / spentMs) * 1000;
}

/** Speed of both sides in one process, in turn; memory of each in one of its own. */
async function filterMeasures(cells: number, rounds: number): Promise<Measure[]> {
  const speeds: Figures[] = [];
  const memories: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    speeds.push(await runProgram('filter-speed', [cells]));
    const [ours, theirs] = [await memoryOf('cells', cells), await memoryOf('objects', cells)];
    memories.push({ cells: ours, objects: theirs });
  }
  const common = { group: 'store/fields', against: 'array of objects' };
  const size = sizeText(cells);
  return [
    { ...common, ...sides(speeds), measure: `filter on one field, ${size}`, unit: 'records/s', goal: atLeast(1) },
    { ...common, ...sides(memories), measure: `memory of the filtered, ${size}`, unit: 'B/record', goal: atMost(0.4) },
  ];
}

async function memoryOf(side: string, cells: number): Promise<number> {
  const { bytes } = await runProgram('filter-memory', [side, cells]);
  return bytes ?? Number.NaN;
}

function sides(figures: readonly Figures[]): Pick<Measure, 'candidate' | 'reference'> {
  return {
    candidate: figures.map(({ cells }) => cells ?? Number.NaN),
    reference: figures.map(({ objects }) => objects ?? Number.NaN),
  };
}
