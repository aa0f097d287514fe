import { hostVariables } from '@niobe/service';
import { z } from 'zod';

/** `host:port`, or several with commas. */
const brokers: z.ZodType<readonly string[], string> = z
  .string()
  .transform((text) => text.split(',').map((address) => address.trim()))
  .refine(
    (addresses) => addresses.every((address) => /^[^\s:]+:\d{1,5}$/.test(address)),
    'expected host:port, or several with commas',
  );

/** Environment of the ingest service. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_KAFKA_BROKERS: z.ZodPrefault<typeof brokers>;
  }
> = z.object({
  ...hostVariables({ name: 'ingest', port: 7700 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_KAFKA_BROKERS: brokers.prefault('127.0.0.1:7750').describe('addresses of Kafka brokers'),
});
