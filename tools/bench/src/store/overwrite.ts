import type { KeyChoice } from '@niobe/testing';
import type { BenchGroup } from '../bench-group.ts';
import type { Measure } from '../measure.ts';
import { simulatedWriteCost } from './cleaning-simulation.ts';
import { atLeast, atMost, roundsOf } from './plan.ts';
import { runProgram, type Figures } from './program.ts';

const ARENA_MIB = 256;
/** Overwrites before the measurement begins, in arenas. */
const ARENAS = 3;
const HIGH = 90;
const LOW = 50;
const CHOICES: readonly KeyChoice[] = ['uniform', 'zipf'];

/** What overwriting costs in a store that is nearly full, beside one that is half empty. */
export const overwrite: BenchGroup = {
  summary:
    'overwrites of 100 B cells at 90 % of the arena beside 50 %, uniform and Zipf keys; write cost beside the theory',
  async run(options) {
    const measures: Measure[] = [];
    for (const choice of CHOICES) {
      const high: Figures[] = [];
      const low: Figures[] = [];
      for (let round = 0; round < roundsOf(options); round++) {
        // The order is swapped every round, as in `interleaved`.
        const sides = round % 2 === 0 ? ([HIGH, LOW] as const) : ([LOW, HIGH] as const);
        for (const percent of sides)
          (percent === HIGH ? high : low).push(await runProgram('overwrite', [ARENA_MIB, percent, choice, ARENAS]));
      }
      measures.push(...rows(choice, high, low));
    }
    return measures;
  },
};

function rows(choice: KeyChoice, high: readonly Figures[], low: readonly Figures[]): Measure[] {
  const row = (name: string, measure: string, unit: string): Measure => ({
    group: 'store/overwrite',
    measure: `${measure}, ${choice} keys`,
    unit,
    candidate: high.map((figures) => figures[name]!),
    reference: low.map((figures) => figures[name]!),
    against: `at ${LOW} %`,
  });
  return [
    { ...row('overwrites', `overwrite at ${HIGH} %`, 'cells/s'), goal: atLeast(0.5) },
    row('cpuMicroseconds', 'processor time of a cell', 'us'),
    row('cleanerShare', "cleaner's share of the time", ''),
    ...[HIGH, LOW].map((percent) => costRow(choice, percent, percent === HIGH ? high : low)),
  ];
}

/** Bytes written for each byte that a writer wrote, beside what a simulation of the same cleaner on paper needs, and simpler ones. */
function costRow(choice: KeyChoice, percent: number, figures: readonly Figures[]): Measure {
  const simulated = simulatedWriteCost(choice, percent / 100, 'cost-benefit');
  const greedy = simulatedWriteCost(choice, percent / 100, 'greedy').toFixed(2);
  const formula = choice === 'uniform' ? `; formula ${formulaWriteCost(percent / 100).toFixed(2)}` : '';
  return {
    group: 'store/overwrite',
    measure: `write cost at ${percent} %, ${choice} keys`,
    unit: '',
    candidate: figures.map(({ writeCost }) => writeCost!),
    reference: [simulated],
    against: `simulation of cost-benefit (greedy ${greedy}${formula})`,
    goal: atMost(1.2),
  };
}

/**
 * Write cost where the oldest segment is always the victim and keys are uniform: of it a share u still lives, with
 * `share = (1 - u) / -ln u` (Menon 1995; Desnoyers 2012), and each byte that is freed costs `1 / (1 - u)` bytes of writes.
 */
function formulaWriteCost(share: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step++) {
    const u = (low + high) / 2;
    if ((1 - u) / -Math.log(u) < share) low = u;
    else high = u;
  }
  return 1 / (1 - low);
}

const BISECTIONS = 60;
