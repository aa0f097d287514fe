import { silentLogger, silentMeter, type Logger, type Meter } from '@niobe/kernel';
import { FREE_BYTES_MIN, OPEN_FILES_MAX, PART_BYTES, PARTS_MAX, ROUND_BUFFER_BYTES } from './limits.ts';

/** What a store needs; all but the folder has a default, told in limits.ts. */
export interface DiskBackupStoreOptions {
  /** Created if it is not there. One process at a time. */
  readonly folder: string;
  readonly logger?: Logger;
  readonly meter?: Meter;
  readonly partBytes?: number;
  readonly partsMax?: number;
  readonly roundBufferBytes?: number;
  readonly openFilesMax?: number;
  readonly freeBytesMin?: number;
}

/** Options with nothing left open. */
export type StoreOptions = Required<DiskBackupStoreOptions>;

export function withDefaults(options: DiskBackupStoreOptions): StoreOptions {
  return {
    logger: silentLogger,
    meter: silentMeter,
    partBytes: PART_BYTES,
    partsMax: PARTS_MAX,
    roundBufferBytes: ROUND_BUFFER_BYTES,
    openFilesMax: OPEN_FILES_MAX,
    freeBytesMin: FREE_BYTES_MIN,
    ...options,
  };
}
