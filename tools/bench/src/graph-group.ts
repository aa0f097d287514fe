/**
 * A published graph loaded and searched over two shards with two durable copies, through HTTP, NATS and every process between, beside an
 * embedded graph database (Kuzu) that has it all in one process. What serial C++ over arrays needs is printed too: the floor.
 */
import { NiobeError, systemClock } from '@niobe/kernel';
import { dataFile, repositoryDir } from '@niobe/testing';
import { loadWhole, onGraphSystem, runPeer, TraverseClient, type PeerFigures } from '@niobe/tool-check';
import type { BenchGroup } from './bench-group.ts';
import { interleaved, type Goal, type Measure } from './measure.ts';

const ROUNDS = 3;
const WEB_EDGES = 1_497_134;
/** The vertex of wiki-Vote with the most edges out, from which the peers search too. */
const VOTE_ROOT = 2565;
const SEARCHES = 5;

/** Figures of one round, by measure. */
interface Figures {
  readonly loadPerSecond: number;
  readonly wholeMs: number;
  readonly threeHopsMs: number;
}

export const graph: BenchGroup = {
  summary: 'a graph of 1.5 million edges: load, search of the whole, three hops, beside an embedded graph database',
  async run({ rounds }) {
    const niobe: Figures[] = [];
    const kuzu: Figures[] = [];
    const floor: Figures[] = [];
    await interleaved(
      rounds ?? ROUNDS,
      async () => niobe.push(await runNiobe()),
      async () => {
        floor.push(floorFigures(await runPeer('c-graph', [dataPath('web-NotreDame.txt.gz'), votes()])));
        return kuzu.push(
          kuzuFigures(await runPeer('embedded-graph', [`${dataPath('web-NotreDame.txt.gz')}@0`, votes()])),
        );
      },
    );
    return measures(niobe, kuzu, floor);
  },
};

async function runNiobe(): Promise<Figures> {
  const options = { repositoryDir, keep: false };
  const web = await onGraphSystem(options, 'web', 2, async (running) => {
    const wish = {
      ...running,
      repositoryDir,
      file: dataPath('web-NotreDame.txt.gz'),
      format: 'snap',
      edge: 'links',
    } as const;
    const loadPerSecond = WEB_EDGES / (await loadWhole(wish));
    const traverse = new TraverseClient(running.system.traversal.url);
    return { loadPerSecond, wholeMs: await medianMs(() => traverse.levels(search(0, 1_000))) };
  });
  const threeHopsMs = await onGraphSystem(options, 'web', 2, async (running) => {
    const wish = {
      ...running,
      repositoryDir,
      file: dataPath('wiki-Vote.csv.gz'),
      format: 'csv',
      edge: 'links',
    } as const;
    await loadWhole(wish);
    const traverse = new TraverseClient(running.system.traversal.url);
    return medianMs(() => traverse.levels(search(VOTE_ROOT, 3)));
  });
  return { ...web, threeHopsMs };
}

function search(page: number, repeat: number): object {
  return { start: [{ schema: 'page', key: page }], hops: [{ edge: 'links', direction: 'out', repeat }] };
}

/** Median of some runs after a warm-up, as the peers measure. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
  await work();
  const times: number[] = [];
  for (let i = 0; i < SEARCHES; i++) {
    const startMs = systemClock.monotonicMs();
    await work();
    times.push(systemClock.monotonicMs() - startMs);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(SEARCHES / 2)] ?? Number.NaN;
}

function kuzuFigures(figures: PeerFigures): Figures {
  return {
    loadPerSecond: Number(figures['web_NotreDame_kuzu_load']),
    wholeMs: Number(figures['web_NotreDame_kuzu_bfs_2']),
    threeHopsMs: Number(figures['wiki_Vote_kuzu_hop3_shortest']),
  };
}

function floorFigures(figures: PeerFigures): Figures {
  return {
    loadPerSecond: Number(figures['web_NotreDame_load_edges_per_s']),
    wholeMs: Number(figures['web_NotreDame_top_down_ms']),
    threeHopsMs: Number(figures['wiki_Vote_three_hop_ms']),
  };
}

function votes(): string {
  return `${dataPath('wiki-Vote.csv.gz')}@${VOTE_ROOT}`;
}

function dataPath(name: string): string {
  const { path, why } = dataFile(`graphs/${name}`);
  if (path === null) throw new NiobeError('BAD_CONFIG', why);
  return path;
}

function measures(niobe: readonly Figures[], kuzu: readonly Figures[], floor: readonly Figures[]): readonly Measure[] {
  const of = (key: keyof Figures, figures: readonly Figures[]): number[] => figures.map((one) => one[key]);
  const atLeast = (value: number): Goal => ({ sense: 'at least', value });
  const atMost = (value: number): Goal => ({ sense: 'at most', value });
  const rows = [
    { key: 'loadPerSecond', measure: 'load, to durable', unit: 'edges/s', goal: atLeast(1), kuzuOn: '1 thread' },
    { key: 'wholeMs', measure: 'search of the whole, 2 shards', unit: 'ms', goal: atMost(1), kuzuOn: '2 threads' },
    { key: 'threeHopsMs', measure: 'three hops, 2 shards', unit: 'ms', goal: atMost(0.5), kuzuOn: '1 thread' },
  ] as const;
  return rows.flatMap(({ key, goal, kuzuOn, ...row }) => {
    const common = { ...row, group: 'graph', candidate: of(key, niobe) };
    return [
      {
        ...common,
        reference: of(key, kuzu),
        against: `Kuzu, ${kuzuOn}`,
        goal,
      },
      { ...common, reference: of(key, floor), against: 'serial C++ over arrays' },
    ];
  });
}
