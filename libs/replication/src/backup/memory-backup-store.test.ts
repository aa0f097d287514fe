import { backupStoreContract } from '@niobe/testing';
import { MemoryBackupStore } from './memory-backup-store.ts';

backupStoreContract('MemoryBackupStore', () => {
  const store = new MemoryBackupStore();
  return Promise.resolve({
    store,
    restart: () => Promise.resolve(store),
    close: () => store.close(),
  });
});
