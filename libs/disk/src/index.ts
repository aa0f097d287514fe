export { DiskBackupStore } from './disk-backup-store.ts';
export { SEGMENT_HEADER_BYTES } from './limits.ts';
export type { DiskBackupStoreOptions } from './store-options.ts';
