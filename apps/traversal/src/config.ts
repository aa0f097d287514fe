import { hostVariables } from '@niobe/service';
import { z } from 'zod';

/** Environment of the traversal service. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_NATS_URL: z.ZodDefault<z.ZodString>;
  }
> = z.object({
  ...hostVariables({ name: 'traversal', port: 7760 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_NATS_URL: z.string().default('nats://127.0.0.1:7740').describe('address of the NATS server'),
});
