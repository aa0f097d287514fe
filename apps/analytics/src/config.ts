import { hostVariables, namesVariable } from '@niobe/service';
import { z } from 'zod';

/** Environment of the analytics service. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_NATS_URL: z.ZodDefault<z.ZodString>;
    NIOBE_KAFKA_BROKERS: z.ZodPrefault<ReturnType<typeof namesVariable>>;
  }
> = z.object({
  ...hostVariables({ name: 'analytics', port: 7710 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_NATS_URL: z.string().default('nats://127.0.0.1:7740').describe('address of the NATS server'),
  NIOBE_KAFKA_BROKERS: namesVariable()
    .prefault('127.0.0.1:7750')
    .describe('addresses of Kafka brokers, separated by commas'),
});
