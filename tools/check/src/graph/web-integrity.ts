/** The stored web graph compared with its file, edge by edge, after a pass over every cell of it. */
import { GridReader } from '../grid-reader.ts';
import type { Verdict } from '../verdict.ts';
import { compareEdgeSets, sortedSet } from './edge-sets.ts';
import type { GraphSystem } from './graph-system.ts';
import { declaredEdges, StoredGraph } from './stored-graph.ts';
import { PUBLISHED, type WebGraph } from './web-graph.ts';

export async function expectWebStored(verdict: Verdict, running: GraphSystem, web: WebGraph): Promise<void> {
  const grid = await GridReader.open(running.system.nats.address, 'web');
  const graph = await StoredGraph.read(grid, declaredEdges(running.deploymentDir));
  await grid.close();
  graph.findings.report(verdict);
  const { vertices } = graph;
  const links = graph.byType.get('links');
  if (links === undefined) return;
  const page = (key: number): number => vertices.numberOfKey('page', key);
  const expected = sortedSet(
    Float64Array.from(web.edges.from, (from, i) => vertices.edge(page(from), page(web.edges.to[i] ?? 0))),
  );
  const { different, example } = compareEdgeSets(expected, links.edges, (edge) => vertices.describe(edge));
  verdict.expect(different === 0, `the ${expected.length} edges of the file are stored, and no others`, example);
  verdict.expect(vertices.size === web.vertices, `${web.vertices} vertices are stored`, `${vertices.size}`);
  const edges = web.isWhole ? PUBLISHED.edges : web.edges.from.length;
  const sums = `out ${links.sumOfOutDegrees}, in ${links.sumOfInDegrees}`;
  verdict.expect(
    links.sumOfOutDegrees === edges && links.sumOfInDegrees === edges,
    `the sums of out-degrees and of in-degrees are ${edges}`,
    sums,
  );
  const hubDegree = web.isWhole ? PUBLISHED.inDegree : web.hubDegree;
  const { key, degree } = links.inHub;
  verdict.expect(
    degree === hubDegree && (!web.isWhole || key === web.hub),
    `the vertex with in-degree ${hubDegree} is found`,
    `${key} with ${degree}`,
  );
}
