import type { CellGrid } from '@niobe/aggregates';
import { describe, expect, it } from '@jest/globals';
import { compileSchema, parseDeclaration, type CompiledSchema } from '@niobe/cells';
import { compileEdgeTypes } from '@niobe/graph';
import { NiobeError, seededRandom, silentLogger, systemClock, type Clock } from '@niobe/kernel';
import fc from 'fast-check';
import { MemoryGraph } from '../../fixtures/memory-graph.ts';
import { GraphLoad, type GraphFile, type LoadEnd, type LoadTarget } from './graph-load.ts';

const PARTITIONS = 4;
const FIRST_SCHEMA_ID = 16;

const CELLS = [
  { name: 'page', key: 'integer', fields: { url: { type: 'text', optional: true } } },
  { name: 'user', key: 'text', fields: {} },
  { name: 'item', key: 'text', fields: {} },
].map((declaration) => parseDeclaration(declaration));

const EDGES = compileEdgeTypes(
  [
    { name: 'links', from: 'page', to: 'page', counters: { times: { type: 'u64' } } },
    { name: 'near', from: 'page', to: 'page', directed: false, counters: { times: { type: 'u64' } } },
    { name: 'bare', from: 'page', to: 'page' },
    {
      name: 'rated',
      from: 'user',
      to: 'item',
      counters: { stars: { type: 'decimal', scale: 1 }, last: { type: 'timestamp', merge: 'max' } },
    },
  ].map((declaration) => ({ file: `edges/${declaration.name}.json`, declaration })),
  CELLS,
);

const SCHEMAS: readonly CompiledSchema[] = [...CELLS, ...EDGES.flatMap(({ schemas }) => schemas)].map(
  (declaration, index) => compileSchema(FIRST_SCHEMA_ID + index, 1, declaration),
);

function schema(name: string): CompiledSchema {
  return SCHEMAS.find((known) => known.name === name)!;
}

function newGraph(seed = 1): MemoryGraph {
  return new MemoryGraph(PARTITIONS, (id) => SCHEMAS[id - FIRST_SCHEMA_ID]!, seededRandom(seed));
}

function targetOf(name: string): LoadTarget {
  const edge = EDGES.find((type) => type.name === name)!;
  return {
    edge,
    from: schema(edge.from),
    to: schema(edge.to),
    schemas: {
      source: schema(edge.adjacency(edge.directed ? 'out' : 'both')),
      target: schema(edge.adjacency(edge.directed ? 'in' : 'both')),
      counters: edge.counterSchema === null ? null : schema(edge.counterSchema),
    },
  };
}

/** Pauses end at once. */
const HURRIED: Clock = { ...systemClock, after: (_ms, run, isBackground) => systemClock.after(0, run, isBackground) };

interface Setup {
  readonly graph: MemoryGraph;
  readonly edge: string;
  readonly grid?: CellGrid;
  readonly runEdges?: number;
  readonly skipsBad?: boolean;
}

function newLoad({ graph, edge, grid = graph, runEdges = 4, skipsBad = false }: Setup): GraphLoad {
  const parts = { grid, ids: graph, clock: HURRIED, random: seededRandom(2), logger: silentLogger };
  return new GraphLoad(parts, targetOf(edge), { skipsBad, runEdges });
}

/** A file that comes in pieces of a few bytes. */
function fileOf(text: string, changes: Partial<GraphFile> = {}): GraphFile {
  const bytes = new TextEncoder().encode(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      yield await Promise.resolve(bytes.subarray(at, at + PIECE_BYTES));
  }
  const about = { name: 'a.txt', bytes: bytes.length, crc: 7, bytesRead: () => bytes.length };
  return { ...about, format: 'snap', rows: 'edges', hasHeader: false, pieces: pieces(), ...changes };
}

const PIECE_BYTES = 13;

/** `own>neighbour` for every entry of the lists of a schema, by keys. */
function listed(graph: MemoryGraph, list: string, own: string, other: string): string[] {
  const [ownKeys, otherKeys] = [graph.keysOf(schema(own)), graph.keysOf(schema(other))];
  return [...graph.lists(schema(list))]
    .flatMap(([id, neighbours]) => [...neighbours].map((each) => `${ownKeys.get(id)}>${otherKeys.get(each)}`))
    .toSorted();
}

/** Counters of edges between pages, by `from>to`. */
function counted(graph: MemoryGraph, counters: string): Record<string, unknown> {
  const keys = graph.keysOf(schema('page'));
  const named = (pair: string): string =>
    pair
      .split(':')
      .map((id) => keys.get(Number(id)))
      .join('>');
  return Object.fromEntries(
    Object.entries(graph.records(schema(counters))).map(([pair, record]) => [named(pair), record['times']]),
  );
}

/** Loads until the end, beginning anew with another process, whose runs are of another length, whenever one was killed. */
async function loadThroughKills(
  setup: Setup,
  runEdges: number,
  text: string,
  kills: readonly number[],
): Promise<LoadEnd> {
  for (const [process, after] of [...kills, Infinity].entries()) {
    let writes = 0;
    const grid = withWrite(setup.graph, async (sections) => {
      const answers = await setup.graph.write(sections);
      if ((writes += 1) > after) load.close();
      return answers;
    });
    const load = newLoad({ ...setup, grid, runEdges: 1 + ((runEdges + 2 * process) % 9) });
    try {
      const end = await load.load(fileOf(text));
      if (end !== 'stopped') return end;
    } catch (error) {
      expect((error as NiobeError).code).toBe('CLOSED');
    }
  }
  return 'stopped';
}

const pageKey = fc.integer({ min: 0, max: 12 });
const edgeList = fc.array(fc.tuple(pageKey, pageKey), { minLength: 1, maxLength: 60 });

describe('loading a graph file', () => {
  it('lists every edge at both ends and counts each line once, through refusals, lost answers and kills', async () => {
    const chance = fc.double({ min: 0, max: 0.3, noNaN: true });
    const faults = fc.record({ refused: chance, answerLost: chance, idsRefused: chance });
    await fc.assert(
      fc.asyncProperty(
        edgeList,
        faults,
        fc.array(fc.nat(8), { maxLength: 4 }),
        fc.constantFrom('links', 'near'),
        fc.integer({ min: 1, max: 9 }),
        async (edges, planted, kills, edge, runEdges) => {
          const graph = newGraph();
          graph.faults = planted;
          const text = `# pages\n${edges.map(([from, to]) => `${from}\t${to}`).join('\r\n')}`;
          await loadThroughKills({ graph, edge }, runEdges, text, kills);
          expectStored(graph, edge, edges);
          expect(await newLoad({ graph, edge }).load(fileOf(text))).toBe('was in already');
        },
      ),
      { numRuns: 60 },
    );
  });

  function expectStored(graph: MemoryGraph, edge: string, edges: readonly (readonly [number, number])[]): void {
    const out = new Set(edges.map(([from, to]) => `${from}>${to}`));
    const into = new Set(edges.map(([from, to]) => `${to}>${from}`));
    const pairs = Object.values(counted(graph, `edge.${edge}`)).map(Number);
    expect(pairs.reduce((sum, times) => sum + times, 0)).toBe(edges.length);
    if (edge === 'near') {
      expect(listed(graph, 'edge.near.both', 'page', 'page')).toEqual([...new Set([...out, ...into])].toSorted());
      return;
    }
    expect(listed(graph, 'edge.links.out', 'page', 'page')).toEqual([...out].toSorted());
    expect(listed(graph, 'edge.links.in', 'page', 'page')).toEqual([...into].toSorted());
    const times: Record<string, number> = {};
    for (const [from, to] of edges) times[`${from}>${to}`] = (times[`${from}>${to}`] ?? 0) + 1;
    expect(counted(graph, `edge.${edge}`)).toEqual(times);
  }

  it('leaves fields of vertices as they are', async () => {
    const graph = newGraph();
    await newLoad({ graph, edge: 'bare' }).load(fileOf('1 2\n'));
    graph.overwrite(schema('page'), { url: 'https://a.example' });
    await newLoad({ graph, edge: 'bare' }).load(fileOf('2 3\n', { name: 'b.txt' }));
    expect(graph.records(schema('page'))).toEqual({
      1: { url: 'https://a.example' },
      2: { url: 'https://a.example' },
      3: { url: null },
    });
  });

  it('reads counters from the columns of their names', async () => {
    const graph = newGraph();
    const text = 'who,what,last,note,stars\nann,pen,1000,x,2.5\nann,"pen",900,,2\nbob,ink,,,\n';
    const load = newLoad({ graph, edge: 'rated' });
    await load.load(fileOf(text, { format: 'csv', hasHeader: true }));
    const records = Object.values(graph.records(schema('edge.rated')));
    expect(records).toContainEqual({ stars: '4.5', last: 1000 });
    expect(records).toContainEqual({ stars: null, last: null });
    expect(listed(graph, 'edge.rated.in', 'item', 'user')).toEqual(['ink>bob', 'pen>ann']);
    expect(load.edges).toBe(3);
  });

  it('sees the header of a csv file where keys are integers, and does without', async () => {
    const graph = newGraph();
    await newLoad({ graph, edge: 'links' }).load(fileOf('from,to,times\n1,2,5\n', { format: 'csv' }));
    await newLoad({ graph, edge: 'links' }).load(fileOf('1,2\n3,4\n', { format: 'csv', name: 'b.csv' }));
    expect(counted(graph, 'edge.links')).toEqual({ '1>2': 6, '3>4': 1 });
  });

  it('says what a file lacks for the counters', async () => {
    const loading = newLoad({ graph: newGraph(), edge: 'rated' }).load(fileOf('ann pen\n'));
    await expect(loading).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(/stars, last/) });
  });

  it.each([
    ['1 2\n\n# x\n3\n', /a.txt, line 4: it has one field/],
    ['1 2\n3 x4 5\n', /a.txt, line 2: "x4" is no key of page, whose keys are integer/],
    ['1 2\n1.5 2\n', /a.txt, line 2: "1.5" is no key/],
  ])('ends with the first line that is no edge: %j', async (text, message) => {
    const loading = newLoad({ graph: newGraph(), edge: 'bare' }).load(fileOf(text));
    await expect(loading).rejects.toMatchObject({ code: 'MALFORMED', message: expect.stringMatching(message) });
  });

  it('ends with a counter that is none', async () => {
    const loading = newLoad({ graph: newGraph(), edge: 'links' }).load(
      fileOf('from,to,times\n1,2,3\n1,2,-3\n', { format: 'csv' }),
    );
    await expect(loading).rejects.toMatchObject({
      code: 'MALFORMED',
      message: expect.stringMatching(/line 3: .*times/),
    });
  });

  it('passes over bad lines where it is told to, and counts them', async () => {
    const graph = newGraph();
    const load = newLoad({ graph, edge: 'links', skipsBad: true });
    expect(await load.load(fileOf('from,to,times\n1,2,3\n1,x,3\n1,2,?\n"1\n3,4,1', { format: 'csv' }))).toBe('loaded');
    expect(load.bad).toBe(3);
    expect(counted(graph, 'edge.links')).toEqual({ '1>2': 3, '3>4': 1 });
  });

  it('loads the vertices of one file, then the edges of another', async () => {
    const graph = newGraph();
    const load = newLoad({ graph, edge: 'bare' });
    await load.load(fileOf('1\n2\n3\n9', { format: 'graphalytics', name: 'g.v', rows: 'vertices' }));
    await load.load(fileOf('1 2 0.5\n2 3 0.25', { format: 'graphalytics', name: 'g.e' }));
    expect(Object.keys(graph.records(schema('page')))).toEqual(['1', '2', '3', '9']);
    expect(listed(graph, 'edge.bare.out', 'page', 'page')).toEqual(['1>2', '2>3']);
  });

  it('cuts a run before a vertex has more neighbours than a section holds', async () => {
    const graph = newGraph();
    const text = Array.from({ length: 17_000 }, (_, i) => `0 ${i}\n`).join('');
    const load = newLoad({ graph, edge: 'bare', runEdges: 1_000_000 });
    await load.load(fileOf(text, { pieces: whole(text) }));
    expect(graph.lists(schema('edge.bare.out')).values().next().value?.size).toBe(17_000);
    expect(load.edges).toBe(17_000);
  });

  it('halves links that are too much for a batch', async () => {
    const graph = newGraph();
    let most = Infinity;
    const grid = guarded(graph, (ops) => (ops > most ? new NiobeError('TOO_LARGE', 'a planted bound') : null));
    const text = Array.from({ length: 100 }, (_, i) => `${i} ${99 - i}\n`).join('');
    const load = newLoad({ graph, grid, edge: 'bare', runEdges: 100 });
    await load.load(fileOf(text.replaceAll(/ .*/g, ''), { rows: 'vertices', name: 'v' }));
    most = 5;
    await load.load(fileOf(text));
    expect(listed(graph, 'edge.bare.in', 'page', 'page')).toHaveLength(100);
  });

  it('ends where no repetition helps: a damaged partition, another loader of the same file', async () => {
    const graph = newGraph();
    const text = '1 2\n3 4\n5 6\n7 8\n9 10\n11 12\n';
    graph.damaged.add(0);
    await expect(newLoad({ graph, edge: 'bare' }).load(fileOf(text))).rejects.toMatchObject({
      code: 'PARTITION_DAMAGED',
    });
    graph.damaged.clear();
    const slow = newLoad({ graph, edge: 'bare', runEdges: 1 }).load(fileOf(text));
    const other = newLoad({ graph, edge: 'bare', runEdges: 3 }).load(fileOf(text));
    const results = await Promise.allSettled([slow, other]);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'OFFSET_MISMATCH', message: expect.stringMatching(/another process/) },
    });
  });
});

async function* whole(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}

/** A grid whose writes go another way. */
function withWrite(graph: MemoryGraph, write: CellGrid['write']): CellGrid {
  return {
    partitions: graph.partitions,
    write,
    cursors: (sources) => graph.cursors(sources),
    scan: (...args) => graph.scan(...args),
    getMany: () => graph.getMany(),
  };
}

/** A grid that refuses sections by their number of operations. */
function guarded(graph: MemoryGraph, refuse: (ops: number) => NiobeError | null): CellGrid {
  return withWrite(graph, async (sections) => {
    const taken = sections.filter(({ ops }) => refuse(ops) === null);
    const answers = await graph.write(taken);
    return sections.map((section) => {
      const refusal = refuse(section.ops);
      return refusal === null ? answers[taken.indexOf(section)]! : { refusal, presentOffsets: [], opIndex: -1 };
    });
  });
}
