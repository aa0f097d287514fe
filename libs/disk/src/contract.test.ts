import { jest } from '@jest/globals';
import { backupStoreContract, type BackupStoreFixture } from '@niobe/testing';
import { Scratch, SMALL } from '../fixtures/scratch.ts';
import { DiskBackupStore } from './index.ts';

/** Many of its tests sync the disk many times. */
jest.setTimeout(60_000);

/** Restarts as after a kill: on a copy of the files, while the store that wrote them still runs. */
async function makeKilled(): Promise<BackupStoreFixture> {
  const scratch = await Scratch.make();
  const stores = [await DiskBackupStore.open({ ...SMALL, folder: scratch.path('store') })];
  let folder = scratch.path('store');
  return {
    store: stores[0]!,
    async restart() {
      folder = await scratch.copy(folder);
      const store = await DiskBackupStore.open({ ...SMALL, folder });
      stores.push(store);
      return store;
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await scratch.remove();
    },
  };
}

async function makeClosed(): Promise<BackupStoreFixture> {
  const scratch = await Scratch.make();
  const folder = scratch.path('store');
  let store = await DiskBackupStore.open({ ...SMALL, folder });
  return {
    store,
    async restart() {
      await store.close();
      store = await DiskBackupStore.open({ ...SMALL, folder });
      return store;
    },
    async close() {
      await store.close();
      await scratch.remove();
    },
  };
}

backupStoreContract('DiskBackupStore, killed at every restart,', makeKilled);
backupStoreContract('DiskBackupStore, closed at every restart,', makeClosed);
