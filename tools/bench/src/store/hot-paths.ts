/** Gets, puts and memory of cells at several sizes, beside a table in C and a Map of objects: a round runs each of the three once. */
import { runPeer, type PeerFigures } from '@niobe/tool-check';
import type { BenchGroup } from '../bench-group.ts';
import type { Measure } from '../measure.ts';
import { BYTES_PER_CELL } from './bytes-per-cell.ts';
import { GET_MANY } from './get-many.ts';
import { GETS } from './gets.ts';
import { measureOf, type HotRound } from './hot-row.ts';
import { roundsOf, sizesOf } from './plan.ts';
import { runProgram, type Figures } from './program.ts';
import { PUTS } from './puts.ts';

const ROWS = [...GETS, ...GET_MANY, ...PUTS, ...BYTES_PER_CELL] as const;

export const hotPaths: BenchGroup = {
  summary: 'gets, getMany, puts, bytes per cell at 10^5 to 10^7, beside a table in C and a Map of objects',
  async run(options) {
    const measures: Measure[] = [];
    for (const cells of sizesOf(options)) {
      const rounds: HotRound[] = [];
      for (let round = 0; round < roundsOf(options); round++) rounds.push(await hotRound(cells));
      measures.push(...ROWS.map((row) => measureOf(row, cells, rounds)));
    }
    return measures;
  },
};

async function hotRound(cells: number): Promise<HotRound> {
  const table = await runPeer('c-table', [String(cells)]);
  const records = await runProgram('record-cells', [cells]);
  const map = await runPeer('node-map', [String(cells)]);
  const texts = await runProgram('small-cells', ['text', cells]);
  const integers = await runProgram('small-cells', ['integer', cells]);
  return {
    ours: { ...named('record', records), ...named('text', texts), ...named('integer', integers) },
    peers: { 'c-table': numbersOf(table), 'node-map': numbersOf(map) },
  };
}

/** Figures of a program, each under the name of its cells and its own: `recordGetById`. */
function named(cells: string, figures: Figures): Figures {
  const entries = Object.entries(figures);
  return Object.fromEntries(
    entries.map(([name, value]) => [cells + name.charAt(0).toUpperCase() + name.slice(1), value]),
  );
}

function numbersOf(figures: PeerFigures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value)]));
}
