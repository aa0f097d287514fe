import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isNiobeError, NiobeError } from '@niobe/kernel';
import { readDeployment } from './read-deployment.ts';

const repository = join(import.meta.dirname, '../../..');

/** A deployment folder by file name. */
type Folder = Record<string, unknown>;

const small: Folder = {
  'deployment.json': { name: 'small', shards: ['shard-0'], topics: [{ name: 'events' }] },
  'events/click.json': { type: 'click', topic: 'events', key: 'user', fields: { user: { type: 'text' } } },
};

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'niobe-deployment-'));
});

afterEach(() => rm(dir, { recursive: true }));

async function write(folder: Folder): Promise<void> {
  for (const [name, content] of Object.entries(folder)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

async function problemsOf(folder: Folder): Promise<string[]> {
  await write(folder);
  const error: unknown = await readDeployment(dir).then(
    () => new NiobeError('BAD_DECLARATION', 'was taken'),
    (reason: unknown) => reason,
  );
  if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
  return [...((error.details.problems as readonly string[] | undefined) ?? [])];
}

describe('readDeployment', () => {
  it.each(['shop', 'retail', 'web', 'social'])('reads the shipped deployment %s', async (name) => {
    const deployment = await readDeployment(join(repository, 'infra/deployments', name));
    expect(deployment).toMatchObject({ name, partitions: 64, shards: ['shard-0', 'shard-1'] });
    expect(deployment.edges.length).toBeGreaterThan(0);
  });

  it('reads a graph that is loaded from files: neither topics nor events', async () => {
    const page = { name: 'page', key: 'integer', fields: { url: { type: 'text', optional: true } } };
    const links = { name: 'links', from: 'page', to: 'page' };
    await write({
      'deployment.json': { name: 'web', shards: ['shard-0'] },
      'cells/page.json': page,
      'edges/links.json': links,
    });
    expect(await readDeployment(dir)).toMatchObject({
      topics: [],
      events: [],
      cells: [page],
      edges: [{ file: 'edges/links.json', declaration: links }],
      mappings: [],
    });
  });

  it('hands mappings on as they are', async () => {
    const visits = { name: 'visits', on: { click: { vertices: [{ schema: 'user', key: 'user' }] } } };
    await write({ ...small, 'mappings/visits.json': visits });
    const { mappings } = await readDeployment(dir);
    expect(mappings).toEqual([{ file: 'mappings/visits.json', declaration: visits }]);
  });

  it('reads the example of the documentation', async () => {
    const page = await readFile(join(repository, 'docs/deployments.md'), 'utf8');
    const blocks = [...page.matchAll(/^`([\w/.]+\.json)`\n\n```json\n(.*?)^```$/gms)];
    await write(Object.fromEntries(blocks.map(([, file, content]) => [file!, content!])));
    const deployment = await readDeployment(dir);
    expect(deployment.name).toBe('weather');
    expect(deployment.events).toHaveLength(1);
    expect(deployment.cells).toHaveLength(2);
    expect(deployment.cubes).toHaveLength(1);
    expect(deployment.edges).toHaveLength(1);
    expect(deployment.mappings).toHaveLength(1);
  });

  it('fills in defaults', async () => {
    await write(small);
    expect(await readDeployment(dir)).toEqual({
      name: 'small',
      shards: ['shard-0'],
      partitions: 64,
      topics: [
        {
          name: 'events',
          partitions: 4,
          retentionMs: 604_800_000,
          retentionBytes: 1_073_741_824,
          records: 'cloudevents',
          deduplicate: { ids: 1_000_000, hours: 24 },
        },
      ],
      events: [{ type: 'click', topic: 'events', key: 'user', fields: { user: { type: 'text' } } }],
      cells: [],
      cubes: [],
      edges: [],
      mappings: [],
    });
  });

  it('says everything that is wrong at once, with file and path', async () => {
    const problems = await problemsOf({
      'deployment.json': {
        name: 'Small',
        shards: [],
        partitions: 48,
        topics: [{ name: 'a.dead', partitions: 0, colour: 'red' }],
      },
      'events/a.json': {
        type: 'click',
        topic: 'a.dead',
        key: 'nobody',
        user: 'tags',
        fields: {
          tags: { type: 'text', array: true },
          price: { type: 'decimal' },
          state: { type: 'enum', maxBytes: 4 },
          constructor: { type: 'text' },
        },
      },
      'events/b.json': '{ "type": ',
      'events/notes.txt': 'hello',
      'cells/c.json': { name: 'c', key: 'number', fields: {} },
      'cubes/d.json': [],
      'edges/e.json': 'null',
      'mappings/f.json': 7,
    });
    const text = problems.join('\n');
    for (const expected of [
      'deployment.json: name: a name is',
      'deployment.json: shards: ',
      'deployment.json: partitions: expected a power of two',
      'deployment.json: topics[0].name: names ending in .dead',
      'deployment.json: topics[0].partitions: ',
      'deployment.json: topics[0]: Unrecognized key: "colour"',
      'events/a.json: key: names the field "nobody"',
      'events/a.json: user: the field "tags" is an array',
      'events/a.json: fields.price.scale: ',
      'events/a.json: fields.state.values: ',
      'events/a.json: fields.state.maxBytes: ',
      'events/a.json: fields.constructor: ',
      'events/b.json: ',
      'events/notes.txt: is not a .json file',
      'cells/c.json: ',
      'cubes/d.json: expected a JSON object',
      'edges/e.json: expected a JSON object',
      'mappings/f.json: expected a JSON object',
    ]) {
      expect(text).toContain(expected);
    }
  });

  it('checks one file against the others', async () => {
    const click = small['events/click.json'] as object;
    const problems = await problemsOf({
      ...small,
      'deployment.json': { name: 'small', shards: ['shard-0'], topics: [{ name: 'feed', records: 'flat' }] },
      'cells/a.json': { name: 'station', key: 'text', fields: { name: { type: 'text' } } },
      'cells/b.json': { name: 'station', key: 'text', fields: { name: { type: 'text' } } },
      'cells/c.json': { name: 'edge.links', key: 'pair', fields: { name: { type: 'text' } } },
      'events/other.json': { ...click, topic: 'feed', fields: { user: { type: 'text' }, time: { type: 'timestamp' } } },
    });
    expect(problems).toEqual([
      'cells/b.json: name: "station" is declared in cells/a.json too',
      "cells/c.json: name: names that begin with edge. are for Niobe's own cells",
      `cells/c.json: key: "pair" is for Niobe's own cells; possible are text, integer, none`,
      'events/click.json: topic: "events" is not declared in deployment.json, which has feed',
      'events/other.json: type: "click" is declared in events/click.json too',
      'events/other.json: fields.time: flat records use this name beside the data; choose another',
    ]);
  });

  it('says what is missing', async () => {
    expect(await problemsOf({})).toEqual(['deployment.json: is missing']);
    expect(await problemsOf({ 'deployment.json': small['deployment.json'] })).toEqual([
      'events: no event type could be read; topics need one at least',
    ]);
    expect(await problemsOf({ ...small, 'deployment.json': { name: 'small', shards: ['shard-0'] } })).toEqual([
      'events/click.json: topic: "events" is not declared in deployment.json, which has no topics',
    ]);
  });
});
