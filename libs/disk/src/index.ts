export { DiskBackupStore, JOURNAL_SIZE, type DiskBackupStoreOptions } from './disk-backup-store.ts';
export type { JournalSize } from './journal.ts';
export { locateByte, type BytePlace } from './locate-byte.ts';
