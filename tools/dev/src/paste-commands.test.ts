import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EventCatalogue, readDeployment, RecordWriter } from '@niobe/events';
import { seededRandom, systemClock } from '@niobe/kernel';
import { REPOSITORY } from './deployment-folder.ts';
import { cubeOutlines, pasteCommands } from './paste-commands.ts';

const urls = { collector: 'http://c', analytics: 'http://a' };

describe('pasteCommands', () => {
  it.each(['shop', 'retail'])('posts an event that the deployment %s takes', async (name) => {
    const deployment = await readDeployment(join(REPOSITORY, 'infra/deployments', name));
    const { post } = pasteCommands(deployment, cubeOutlines(deployment), urls)!;
    const body = /-d '(.*)'$/.exec(post)![1]!;
    const writer = new RecordWriter(new EventCatalogue(deployment), systemClock, seededRandom(1));
    expect(writer.fromJson(JSON.parse(body)).topic).toBe(deployment.topics[0]!.name);
  });

  it('asks for the group that the posted event falls into, and for the largest groups', async () => {
    const deployment = await readDeployment(join(REPOSITORY, 'infra/deployments/shop'));
    const { post, count, top } = pasteCommands(deployment, cubeOutlines(deployment), urls)!;
    expect(post).toBe(
      `curl -s -X POST http://c/v1/events -H 'content-type: application/json' ` +
        `-d '{"type":"purchase","data":{"user":"demo","product":"demo","country":"demo","price":"1.00","quantity":1}}'`,
    );
    expect(count).toBe("curl -s 'http://a/v1/cubes/totals?by=country&country=demo'");
    expect(top).toBe("curl -s 'http://a/v1/cubes/product_activity?by=product&order=-events&limit=5&panes=merged'");
  });

  it('has nothing to say about a deployment without a counting cube', async () => {
    const deployment = await readDeployment(join(REPOSITORY, 'infra/deployments/shop'));
    expect(pasteCommands(deployment, [], urls)).toBeNull();
  });
});
