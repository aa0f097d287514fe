import { bytesVariable, hostVariables, namesVariable } from '@niobe/service';
import { z } from 'zod';

const MiB = 1024 * 1024;

/** Environment of a shard. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_NATS_URL: z.ZodDefault<z.ZodString>;
    NIOBE_STORE_BYTES: ReturnType<typeof bytesVariable>;
    NIOBE_BACKUPS: ReturnType<typeof namesVariable>;
  }
> = z.object({
  ...hostVariables({ name: 'shard-0', port: 7720 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_NATS_URL: z.string().default('nats://127.0.0.1:7740').describe('address of the NATS server'),
  NIOBE_STORE_BYTES: bytesVariable('1GiB', 32 * MiB, 16 * 1024 * MiB).describe('memory for cells'),
  NIOBE_BACKUPS: namesVariable().describe('names of the backup servers, separated by commas'),
});
