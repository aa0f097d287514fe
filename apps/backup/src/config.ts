import { hostVariables } from '@niobe/service';
import { z } from 'zod';

/** Environment of a backup server. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_NATS_URL: z.ZodDefault<z.ZodString>;
    NIOBE_DATA_DIR: z.ZodString;
  }
> = z.object({
  ...hostVariables({ name: 'backup-0', port: 7730 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_NATS_URL: z.string().default('nats://127.0.0.1:7740').describe('address of the NATS server'),
  NIOBE_DATA_DIR: z.string().min(1).describe('folder of the journal and the segment files; of this process alone'),
});
