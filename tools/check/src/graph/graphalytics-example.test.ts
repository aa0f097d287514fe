import { describe, expect, it } from '@jest/globals';
import { describeWithData } from '@niobe/testing';
import { dirname } from 'node:path';
import { readEdgeList } from './edge-list.ts';
import { parseDistances, readGraphalyticsExample } from './graphalytics-example.ts';
import { PlainGraph } from './plain-graph.ts';

describe('published distances', () => {
  it('leave out what is not reached', () => {
    expect([...parseDistances(['1 0', '2 9223372036854775807', '3 1'])]).toEqual([
      [1, 0],
      [3, 1],
    ]);
  });
});

describeWithData('graphs/graphalytics-example-directed/example-directed.e', 'the Graphalytics example', (path) => {
  it('has the published distances also by the textbook', () => {
    const example = readGraphalyticsExample(dirname(path));
    const distances = new PlainGraph(readEdgeList(example.edgeFile)).distances(example.source, 'out');
    const reached = [...distances.entries()].filter(([, distance]) => distance >= 0);
    expect(reached).toEqual([...example.distances]);
    expect(example.vertices).toBe(10);
  });
});
