import { join } from 'node:path';
import { readDeployment } from '@niobe/events';
import { repositoryDir } from '@niobe/testing';
import { eventBatches, readMapping } from '@niobe/tool-replay';
import type { EventLine } from '../batch-sender.ts';

/** Rows of the whole file. */
export const RETAIL_ROWS = 541_909;

/** The first `rows` rows of the retail file as events of the shipped deployment, in file order. */
export async function* retailLines(csvFile: string, rows: number): AsyncGenerator<EventLine> {
  const deploymentDir = join(repositoryDir, 'infra/deployments/retail');
  const { events } = await readDeployment(deploymentDir);
  const mapping = await readMapping(join(deploymentDir, 'replay.json'));
  let taken = 0;
  for await (const batch of eventBatches({ path: csvFile, mapping, events })) {
    for (const event of batch.events) {
      if (++taken > rows) return;
      yield { id: event.id, json: JSON.stringify(event) };
    }
  }
}
