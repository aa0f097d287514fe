import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { graphPaths } from './graph-files.ts';

describe('the files of a graph', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'niobe-load-'));
    for (const file of ['kron.v', 'kron.e.gz', 'kron.properties']) writeFileSync(join(folder, file), '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are one, but for graphalytics', () => {
    expect(graphPaths('web.txt', 'snap')).toEqual([{ path: 'web.txt', rows: 'edges' }]);
  });

  it('are two for graphalytics, whichever is named', () => {
    const pair = [
      { path: join(folder, 'kron.v'), rows: 'vertices' },
      { path: join(folder, 'kron.e.gz'), rows: 'edges' },
    ];
    for (const named of ['', 'kron', 'kron.v', 'kron.e', 'kron.e.gz'])
      expect(graphPaths(join(folder, named), 'graphalytics')).toEqual(pair);
  });

  it('says what is missing, and which there are', () => {
    expect(() => graphPaths(join(folder, 'other'), 'graphalytics')).toThrow(/no .*other\.v/);
    writeFileSync(join(folder, 'web.v'), '');
    expect(() => graphPaths(folder, 'graphalytics')).toThrow(/several graphs: kron, web; name one/);
  });
});
