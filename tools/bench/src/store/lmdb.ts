/** Puts and gets by key of 100 B beside LMDB in process, without fsync: random keys, one thread. */
import { runPeer } from '@niobe/tool-check';
import type { BenchGroup } from '../bench-group.ts';
import type { Measure } from '../measure.ts';
import { atLeast, roundsOf, sizesOf, sizeText } from './plan.ts';
import { runProgram } from './program.ts';

/** Rows: the program's figure, the peer's figure without its `_<cells>`, and the goal. */
const ROWS = [
  { measure: 'put of a new cell, 100 B', ours: 'put', theirs: 'lmdb_insert', goal: atLeast(10) },
  { measure: 'put over a cell, 100 B', ours: 'overwrite', theirs: 'lmdb_put', goal: atLeast(10) },
  { measure: 'get by key, 100 B', ours: 'getByKey', theirs: 'lmdb_get', goal: atLeast(4) },
] as const;

export const lmdb: BenchGroup = {
  summary: 'puts and gets by key of 100 B beside LMDB, which needs five minutes a round at 10^7',
  async run(options) {
    const measures: Measure[] = [];
    for (const cells of sizesOf(options, [10_000_000])) {
      const ours: Readonly<Record<string, number>>[] = [];
      const theirs: Readonly<Record<string, number | string>>[] = [];
      for (let round = 0; round < roundsOf(options); round++) {
        theirs.push(await runPeer('lmdb', [String(cells)]));
        ours.push(await runProgram('hundred-byte-cells', [cells]));
      }
      measures.push(...ROWS.map((row) => measureOf(row, cells, ours, theirs)));
    }
    return measures;
  },
};

function measureOf(
  row: (typeof ROWS)[number],
  cells: number,
  ours: readonly Readonly<Record<string, number>>[],
  theirs: readonly Readonly<Record<string, number | string>>[],
): Measure {
  return {
    group: 'store/lmdb',
    measure: `${row.measure}, ${sizeText(cells)}`,
    unit: 'ops/s',
    candidate: ours.map((figures) => figures[row.ours] ?? Number.NaN),
    reference: theirs.map((figures) => Number(figures[`${row.theirs}_${cells}`])),
    against: 'LMDB, values of 64 B',
    goal: row.goal,
  };
}
