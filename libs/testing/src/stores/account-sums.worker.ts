/** A thread that sums over every snapshot it is sent. */
import { parentPort } from 'node:worker_threads';
import { SchemaTable } from '@niobe/cells';
import type { SharedSnapshot } from '@niobe/store';
import { sumAccounts } from './account-sums.ts';

const schemas = new SchemaTable();

parentPort!.on('message', (shared: SharedSnapshot) => {
  parentPort!.postMessage(sumAccounts(shared, schemas));
});
