import { describe, expect, it } from '@jest/globals';
import { partitionOfId } from '@niobe/cells';
import fc from 'fast-check';
import { EDGES, FOLLOWS, KNOWS, newSchemas, PAID, PARTITIONS, TestPartition } from '../../test/harness.ts';
import type { EdgeType } from '../edges/edge-type.ts';
import { auditStores } from './audit-stores.ts';
import type { EdgeAuditReport } from './edge-audit.ts';

/** A graph over some partitions, written as a loader writes it: one side of an edge after the other. */
class TestGraph {
  readonly partitions: TestPartition[] = Array.from(
    { length: PARTITIONS },
    (_, partition) => new TestPartition(partition),
  );
  readonly ids: number[] = [];

  constructor(people: number) {
    for (let key = 0; key < people; key++) {
      const partition = this.partitions[key % PARTITIONS]!;
      partition.batch(() => this.ids.push(partition.person(key)));
    }
  }

  of(id: number): TestPartition {
    return this.partitions[partitionOfId(id)]!;
  }

  /** One side of an edge. */
  list(edge: EdgeType, direction: 'out' | 'in', own: number, neighbour: number): void {
    this.of(own).batch(() => this.of(own).link(edge.adjacency(direction), own, [neighbour]));
  }

  edge(edge: EdgeType, from: number, to: number): void {
    this.list(edge, 'out', from, to);
    this.list(edge, 'in', to, from);
  }

  count(edge: EdgeType, from: number, to: number): void {
    this.of(from).batch(() => this.of(from).merge(edge.counterSchema!, `${from}:${to}`, { times: 1 }));
  }

  audit(): EdgeAuditReport {
    return auditStores(
      this.partitions.map(({ store }) => store),
      EDGES,
      newSchemas(),
    );
  }
}

describe('the audit of a graph', () => {
  it('counts what is there', () => {
    const graph = new TestGraph(12);
    const [a, b, c] = graph.ids as [number, number, number];
    for (const to of graph.ids) graph.edge(FOLLOWS, a, to);
    graph.edge(KNOWS, a, b);
    graph.edge(KNOWS, c, c);
    graph.edge(PAID, b, a);
    graph.count(PAID, b, a);
    const { vertices, edges, problems } = graph.audit();
    expect(problems).toEqual([]);
    expect(vertices).toBe(12);
    expect([...edges].map(([name, found]) => [name, found.edges, ...found.ends])).toEqual([
      ['follows', 12, ['out', 12], ['in', 12]],
      ['knows', 2, ['both', 3]],
      ['paid', 1, ['out', 1], ['in', 1]],
    ]);
  });

  it('finds half edges, lists of nobody, counters of nothing and lists that lie', () => {
    const faults: readonly [RegExp, (graph: TestGraph, a: number, b: number) => void][] = [
      [/edge.follows.in of vertex \d+: does not list/, (graph, a, b) => graph.list(FOLLOWS, 'out', a, b)],
      [/edge.follows.out of vertex \d+: does not list/, (graph, a, b) => graph.list(FOLLOWS, 'in', a, b)],
      [/edge.knows.both of vertex \d+: does not list/, (graph, a, b) => graph.list(KNOWS, 'out', a, b)],
      [/edge.paid \d+:\d+: no such edge/, (graph, a, b) => graph.count(PAID, a, b)],
      [
        /edge follows: \d+ has neighbours and is no vertex/,
        (graph, a, b) => {
          graph.edge(FOLLOWS, a, b);
          graph.of(b).batch(() => graph.of(b).deletePerson(1));
        },
      ],
      [
        /edge.knows.both of vertex \d+: degree 2, 1 neighbours/,
        (graph, a) =>
          graph.of(a).batch(() => graph.of(a).merge('edge.knows.both', a, { degree: 2, chunk: null, refs: [a] })),
      ],
      [
        /edge.knows.both of vertex \d+: a neighbour is listed twice/,
        (graph, a) =>
          graph.of(a).batch(() => graph.of(a).merge('edge.knows.both', a, { degree: 2, chunk: null, refs: [a, a] })),
      ],
      [
        /edge.knows.both of vertex \d+: chunk 99 is missing/,
        (graph, a) =>
          graph.of(a).batch(() => graph.of(a).merge('edge.knows.both', a, { degree: 1, chunk: 99, refs: [a] })),
      ],
    ];
    for (const [expected, breakIt] of faults) {
      const graph = new TestGraph(4);
      breakIt(graph, graph.ids[0]!, graph.ids[1]!);
      expect(graph.audit().problems.join('\n')).toMatch(expected);
    }
  });

  it('passes after any crash between the sides, once the edges were sent again', () => {
    const edge = fc.tuple(fc.nat(19), fc.nat(19), fc.constantFrom(FOLLOWS, KNOWS));
    const script = fc.array(fc.record({ edge, stopsBetween: fc.boolean(), crashes: fc.nat(PARTITIONS) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(script, (steps) => {
        const graph = new TestGraph(20);
        for (const {
          edge: [from, to, type],
          stopsBetween,
          crashes,
        } of steps) {
          graph.list(type, 'out', graph.ids[from]!, graph.ids[to]!);
          if (!stopsBetween) graph.list(type, 'in', graph.ids[to]!, graph.ids[from]!);
          graph.partitions[crashes]?.crash();
        }
        for (const {
          edge: [from, to, type],
        } of steps)
          graph.edge(type, graph.ids[from]!, graph.ids[to]!);
        const { edges, problems } = graph.audit();
        expect(problems).toEqual([]);
        const told = (type: EdgeType): readonly string[] =>
          steps.filter(({ edge: found }) => found[2] === type).map(({ edge: [from, to] }) => `${from}-${to}`);
        const undirected = told(KNOWS).map((pair) =>
          pair
            .split('-')
            .map(Number)
            .sort((a, b) => a - b)
            .join(),
        );
        expect(edges.get('follows')!.edges).toBe(new Set(told(FOLLOWS)).size);
        expect(edges.get('knows')!.edges).toBe(new Set(undirected).size);
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
