import { hostVariables } from '@niobe/service';
import { z } from 'zod';
import { ROLES, type IngestRole } from './service.ts';

/** `host:port`, or several with commas. */
const brokers: z.ZodType<readonly string[], string> = z
  .string()
  .transform((text) => text.split(',').map((address) => address.trim()))
  .refine(
    (addresses) => addresses.every((address) => /^[^\s:]+:\d{1,5}$/.test(address)),
    'expected host:port, or several with commas',
  );

const isRole = (name: string): name is IngestRole => (ROLES as readonly string[]).includes(name);

/** One role, or both with a comma. */
const roles: z.ZodType<readonly IngestRole[], string> = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .refine((names) => names.every(isRole), `expected ${ROLES.join(', ')}, or both with a comma`)
  .transform((names) => names.filter(isRole));

/** Environment of the ingest service. */
export const configSchema: z.ZodObject<
  ReturnType<typeof hostVariables> & {
    NIOBE_DEPLOYMENT: z.ZodString;
    NIOBE_ROLES: z.ZodPrefault<typeof roles>;
    NIOBE_KAFKA_BROKERS: z.ZodPrefault<typeof brokers>;
    NIOBE_NATS_URL: z.ZodDefault<z.ZodString>;
  }
> = z.object({
  ...hostVariables({ name: 'ingest', port: 7700 }),
  NIOBE_DEPLOYMENT: z.string().min(1).describe('folder of the deployment'),
  NIOBE_ROLES: roles.prefault(ROLES.join(',')).describe('what this process does: collector, loader, or both'),
  NIOBE_KAFKA_BROKERS: brokers.prefault('127.0.0.1:7750').describe('addresses of Kafka brokers'),
  NIOBE_NATS_URL: z
    .string()
    .default('nats://127.0.0.1:7740')
    .describe('address of the NATS server; the loader needs it'),
});
