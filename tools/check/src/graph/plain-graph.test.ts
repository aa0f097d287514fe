import { describe, expect, it } from '@jest/globals';
import { describeWithData } from '@niobe/testing';
import { parseEdgeList, readEdgeList, verticesOf } from './edge-list.ts';
import { PlainGraph } from './plain-graph.ts';

const SNAP = '# a comment\r\n# 1\t2\r\n0\t0\r\n0\t1\r\n1\t2\r\n3\t2\r\n2\t4\r\n';

describe('an edge list', () => {
  it('is read from tabs, spaces and commas, without comments and headers', () => {
    expect(parseEdgeList(SNAP)).toEqual({ from: Uint32Array.of(0, 0, 1, 3, 2), to: Uint32Array.of(0, 1, 2, 2, 4) });
    expect(parseEdgeList('src,dst,weight\n7,8,0.5\n')).toEqual({ from: Uint32Array.of(7), to: Uint32Array.of(8) });
    expect(parseEdgeList('1 3 0.5\n')).toEqual({ from: Uint32Array.of(1), to: Uint32Array.of(3) });
  });

  it('ends at its limit', () => {
    expect(parseEdgeList(SNAP, 2).from).toHaveLength(2);
  });

  it('names its vertices', () => {
    expect(verticesOf(parseEdgeList(SNAP))).toEqual(new Set([0, 1, 2, 3, 4]));
  });
});

describe('the search by the textbook', () => {
  const graph = new PlainGraph(parseEdgeList(SNAP));

  it('counts the vertices of each level along the edges and against them', () => {
    expect(graph.levels(0, 'out')).toEqual([1, 1, 1, 1]);
    expect(graph.levels(2, 'in')).toEqual([1, 2, 1]);
    expect([...graph.distances(3, 'out')]).toEqual([-1, -1, 1, 0, 2]);
  });

  it('counts a self-loop in both degrees and finds the hub', () => {
    expect([graph.degree(0, 'out'), graph.degree(0, 'in')]).toEqual([2, 1]);
    expect([graph.hub('in'), graph.hub('out')]).toEqual([2, 0]);
  });
});

describeWithData('graphs/web-NotreDame.txt.gz', 'the published web graph', (path) => {
  it('has the vertices, edges and levels that are published', () => {
    const edges = readEdgeList(path);
    const graph = new PlainGraph(edges);
    const levels = graph.levels(0, 'out');
    expect(edges.from).toHaveLength(1_497_134);
    expect(verticesOf(edges).size).toBe(325_729);
    expect([levels.length - 1, levels.reduce((sum, count) => sum + count)]).toEqual([49, 325_729]);
    expect(graph.degree(graph.hub('in'), 'in')).toBe(10_721);
  });
});
