import { describe, expect, it } from '@jest/globals';
import type { CellSource, ScannedCell } from '../grid-reader.ts';
import type { GRAPH_RULES } from './adjacency-lists.ts';
import { compareEdgeSets, sortedSet } from './edge-sets.ts';
import { StoredGraph, type DeclaredEdge } from './stored-graph.ts';

const BOUGHT: DeclaredEdge = { name: 'bought', from: 'user', to: 'product', counters: { orders: {} } };
/** A cell id: partition, then slot. */
const id = (partition: number, slot: number): number => partition * 2 ** 40 + slot;
const [ANN, BOB, PEN, INK] = [id(1, 1), id(2, 1), id(1, 2), id(3, 9)];
const CHUNK = id(1, 77);

type Cells = Record<string, ScannedCell[]>;

function list(owner: number, refs: readonly number[], chunk: number | null = null, degree = refs.length): ScannedCell {
  return { id: 0, key: owner, record: { degree, chunk, refs } };
}

function counter(key: string): ScannedCell {
  return { id: 0, key, record: { orders: 1 } };
}

/** Ann bought pen and ink, Bob bought ink; one reference of Ann is in a chunk. */
function sound(): Cells {
  return {
    user: [
      { id: ANN, key: 'ann', record: {} },
      { id: BOB, key: 'bob', record: {} },
    ],
    product: [
      { id: PEN, key: 'pen', record: {} },
      { id: INK, key: 'ink', record: {} },
    ],
    'niobe.edge-chunk': [{ id: CHUNK, key: '', record: { next: null, refs: [INK] } }],
    'edge.bought.out': [list(ANN, [PEN], CHUNK, 2), list(BOB, [INK])],
    'edge.bought.in': [list(PEN, [ANN]), list(INK, [BOB, ANN])],
    'edge.bought': [counter(`${ANN}:${PEN}`), counter(`${ANN}:${INK}`), counter(`${BOB}:${INK}`)],
  };
}

function sourceOf(cells: Cells): CellSource {
  return {
    async *cells(schema: string) {
      yield* await Promise.resolve(cells[schema] ?? []);
    },
  };
}

const read = (cells: Cells, types = [BOUGHT]): Promise<StoredGraph> => StoredGraph.read(sourceOf(cells), types);

describe('the graph as its cells say it', () => {
  it('has every edge of a sound one, with counters, and nothing to find', async () => {
    const graph = await read(sound());
    const stored = graph.byType.get('bought');
    const expected = sortedSet([
      graph.vertices.edge(graph.vertices.numberOfKey('user', 'ann'), graph.vertices.numberOfKey('product', 'pen')),
      graph.vertices.edge(graph.vertices.numberOfKey('user', 'ann'), graph.vertices.numberOfKey('product', 'ink')),
      graph.vertices.edge(graph.vertices.numberOfKey('user', 'bob'), graph.vertices.numberOfKey('product', 'ink')),
    ]);
    expect(stored?.edges).toEqual(expected);
    expect([stored?.sumOfOutDegrees, stored?.sumOfInDegrees, stored?.counters.size]).toEqual([3, 3, 3]);
    expect(stored?.inHub).toEqual({ key: 'ink', degree: 2 });
    expect(broken(graph)).toEqual([]);
  });

  it('reads an undirected type from its one adjacency, and a self-loop once', async () => {
    const knows: DeclaredEdge = { name: 'knows', from: 'user', to: 'user', directed: false };
    const cells = { user: sound()['user'] ?? [], 'edge.knows.both': [list(ANN, [BOB, ANN]), list(BOB, [ANN])] };
    const graph = await read(cells, [knows]);
    expect(graph.byType.get('knows')?.edges).toHaveLength(3);
    expect(broken(graph)).toEqual([]);
  });

  const damage: readonly [string, keyof typeof GRAPH_RULES, (cells: Cells) => void][] = [
    ['a half edge', 'sides', (cells) => (cells['edge.bought.in']![1] = list(INK, [BOB]))],
    ['a degree that is too high', 'degree', (cells) => (cells['edge.bought.out']![1] = list(BOB, [INK], null, 2))],
    ['a neighbour that is listed twice', 'twice', (cells) => (cells['edge.bought.in']![0] = list(PEN, [ANN, ANN]))],
    ['a chunk of nobody', 'chain', (cells) => cells['niobe.edge-chunk']!.push(chunk(id(1, 78)))],
    ['a chunk of two lists', 'chain', (cells) => (cells['edge.bought.out']![1] = list(BOB, [], CHUNK, 1))],
    ['a chunk that is gone', 'chain', (cells) => (cells['niobe.edge-chunk'] = [])],
    ['a chain without an end', 'chain', (cells) => (cells['niobe.edge-chunk'] = [chunk(CHUNK, CHUNK)])],
    ['a chunk of another partition', 'chain', inOtherPartition],
    ['an end that is gone', 'ends', (cells) => (cells['product'] = cells['product']!.slice(0, 1))],
    ['an end of another schema', 'ends', (cells) => (cells['edge.bought.out']![1] = list(BOB, [ANN]))],
    ['an edge without counters', 'counters', (cells) => cells['edge.bought']!.pop()],
    ['counters without an edge', 'counters', (cells) => cells['edge.bought']!.push(counter(`${BOB}:${PEN}`))],
  ];

  it.each(damage)('finds %s', async (_what, rule, doDamage) => {
    const cells = sound();
    doDamage(cells);
    expect(broken(await read(cells))).toContain(rule);
  });
});

function chunk(at: number, next: number | null = null): ScannedCell {
  return { id: at, key: '', record: { next, refs: [INK] } };
}

function inOtherPartition(cells: Cells): void {
  cells['niobe.edge-chunk'] = [chunk(id(2, 77))];
  cells['edge.bought.out']![0] = list(ANN, [PEN], id(2, 77), 2);
}

function broken(graph: StoredGraph): string[] {
  return ['degree', 'twice', 'chain', 'ends', 'sides', 'counters'].filter(
    (rule) => graph.findings.count(rule as keyof typeof GRAPH_RULES) > 0,
  );
}

describe('sets of edges', () => {
  it('are compared by what only one of them has', () => {
    const describeEdge = (edge: number): string => `edge ${edge}`;
    expect(compareEdgeSets(sortedSet([3, 1, 1]), sortedSet([1, 3]), describeEdge)).toEqual({
      different: 0,
      example: '',
    });
    expect(compareEdgeSets(sortedSet([1, 2]), sortedSet([2, 5]), describeEdge)).toEqual({
      different: 2,
      example: 'edge 1 is missing',
    });
  });
});
