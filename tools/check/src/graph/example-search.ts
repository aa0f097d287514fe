import { dirname } from 'node:path';
import { NiobeError } from '@niobe/kernel';
import { dataFile } from '@niobe/testing';
import type { CheckOptions } from '../check.ts';
import { TraverseClient } from '../traverse-client.ts';
import type { Verdict } from '../verdict.ts';
import type { GraphSystem } from './graph-system.ts';
import { readGraphalyticsExample } from './graphalytics-example.ts';
import { loadWhole } from './load-tool.ts';

/** The example of LDBC Graphalytics: every reached vertex with its published distance, and no other. */
export async function expectExampleSearch(
  verdict: Verdict,
  options: CheckOptions,
  running: GraphSystem,
): Promise<void> {
  const { path, why } = dataFile('graphs/graphalytics-example-directed/example-directed.e');
  if (path === null) throw new NiobeError('BAD_CONFIG', `the Graphalytics example is missing: ${why}`);
  const example = readGraphalyticsExample(dirname(path));
  const wish = {
    ...running,
    repositoryDir: options.repositoryDir,
    file: path,
    format: 'graphalytics',
    edge: 'follows',
  } as const;
  await loadWhole(wish);
  const { vertices } = await new TraverseClient(running.system.traversal.url).vertices({
    start: [{ schema: 'person', key: example.source }],
    hops: [{ edge: 'follows', direction: 'out', repeat: 1_000 }],
  });
  const found = [[example.source, 0], ...vertices.map(({ key, level }) => [key, level])];
  verdict.expect(
    JSON.stringify(found) === JSON.stringify([...example.distances]),
    'its breadth-first search equals the published output',
    JSON.stringify(found),
  );
}
