import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EventCatalogue, readDeployment, RecordWriter, type Deployment } from '@niobe/events';
import { compileEdgeTypes } from '@niobe/graph';
import { seededRandom, systemClock } from '@niobe/kernel';
import { readSearch } from '@niobe/traversal';
import { REPOSITORY } from './deployment-folder.ts';
import { cubeOutlines } from './cube-commands.ts';
import { pasteCommands, type CommandFacts } from './paste-commands.ts';

const urls = { collector: 'http://c', analytics: 'http://a', traversal: 'http://t', nats: 'nats://n' };

const shipped = (name: string): Promise<Deployment> => readDeployment(join(REPOSITORY, 'infra/deployments', name));
const factsOf = (deployment: Deployment): CommandFacts => ({
  deployment,
  deploymentOption: deployment.name,
  cubes: cubeOutlines(deployment),
  urls,
  busyKey: null,
});
const commandsOf = (deployment: Deployment, more: Partial<CommandFacts> = {}): Map<string, string> =>
  new Map(pasteCommands({ ...factsOf(deployment), ...more }).map(({ title, line }) => [title, line] as const));
const bodyOf = (line: string): unknown => JSON.parse(/-d '(.*)'$/.exec(line)![1]!);

describe('pasteCommands', () => {
  it.each(['shop', 'retail'])('posts an event that the deployment %s takes', async (name) => {
    const deployment = await shipped(name);
    const writer = new RecordWriter(new EventCatalogue(deployment), systemClock, seededRandom(1));
    const event = bodyOf(commandsOf(deployment).get('post an event')!);
    expect(writer.fromJson(event).topic).toBe(deployment.topics[0]!.name);
  });

  it('asks for the group that the posted event falls into, and for the largest groups, also live', async () => {
    const commands = commandsOf(await shipped('shop'));
    expect([...commands.entries()].slice(0, 4)).toEqual([
      [
        'post an event',
        `curl -s -X POST http://c/v1/events -H 'content-type: application/json' ` +
          `-d '{"type":"purchase","data":{"user":"demo","product":"demo","country":"demo","price":"1.00","quantity":1}}'`,
      ],
      ['see it counted', "curl -s 'http://a/v1/cubes/totals?by=country&country=demo'"],
      ['ask a cube', "curl -s 'http://a/v1/cubes/product_activity?by=product&order=-events&limit=5&panes=merged'"],
      [
        'follow it live',
        "curl -sN 'http://a/v1/cubes/product_activity/live?by=product&order=-events&limit=5&panes=merged'",
      ],
    ]);
  });

  it('searches what else those bought who bought a product', async () => {
    const commands = commandsOf(await shipped('shop'), { busyKey: 'p0000' });
    expect(commands.get('who purchased p0000 also purchased')).toBe(
      `curl -s -X POST http://t/v1/traverse -H 'content-type: application/json' ` +
        `-d '{"start":[{"schema":"product","key":"p0000"}],"hops":[{"edge":"purchased","direction":"in"},` +
        `{"edge":"purchased","direction":"out"}],"return":"vertices","count":true,"limit":5}'`,
    );
    expect(commandsOf(await shipped('shop')).has('who purchased demo also purchased')).toBe(true);
  });

  it.each(['shop', 'retail', 'web', 'social'])('searches in a way that the deployment %s allows', async (name) => {
    const deployment = await shipped(name);
    const searches = [...commandsOf(deployment).values()].filter((line) => line.includes('/v1/traverse'));
    expect(searches).toHaveLength(1);
    const edges = compileEdgeTypes(deployment.edges, deployment.cells);
    expect(readSearch(bodyOf(searches[0]!), edges, deployment.cells).start).toHaveLength(1);
  });

  it('tells how to load a graph where nothing else fills it', async () => {
    const web = await shipped('web');
    expect(commandsOf(web, { deploymentOption: 'some/folder' }).get('load a graph')).toBe(
      'npm run load -- graph FILE --format snap --deployment some/folder --nats nats://n',
    );
    expect(commandsOf(await shipped('social')).get('load a graph')).toMatch(/ --edge follows /);
    expect(commandsOf(web, { urls: { ...urls, nats: null } }).has('load a graph')).toBe(false);
  });

  it('has nothing to say about a deployment without counting cubes and edges', async () => {
    expect(commandsOf({ ...(await shipped('shop')), edges: [] }, { cubes: [] }).size).toBe(0);
  });
});
