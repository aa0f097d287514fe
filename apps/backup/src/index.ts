export { startBackup, type BackupConfig, type BackupParts } from './service.ts';
