import { z } from 'zod';

/** Kinds of environment variables that more than one service has. */

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A TCP port; 0 lets the system choose one. */
export function portVariable(preset: number): z.ZodPrefault<z.ZodType<number, string>> {
  const port = z
    .string()
    .regex(/^\d{1,5}$/, 'expected a port number')
    .transform(Number)
    .refine((value) => value <= 65_535, 'expected a port from 0 to 65535');
  return port.prefault(String(preset));
}

/** A number of bytes: `1073741824`, `512MiB`, `1GiB`. */
export function bytesVariable(
  preset: string,
  leastBytes: number,
  mostBytes: number,
): z.ZodPrefault<z.ZodType<number, string>> {
  const bytes = z
    .string()
    .regex(/^\d{1,15}(KiB|MiB|GiB)?$/, 'expected bytes, such as 67108864, 512MiB or 1GiB')
    .transform(bytesOf)
    .refine((value) => value >= leastBytes && value <= mostBytes, `expected ${leastBytes} to ${mostBytes} bytes`);
  return bytes.prefault(preset);
}

function bytesOf(text: string): number {
  const digits = /^\d+/.exec(text)?.[0] ?? '0';
  return Number(digits) * (UNIT_BYTES[text.slice(digits.length)] ?? 1);
}

/** Names separated by commas; blanks around them do not count, none may be empty or appear twice. */
export function namesVariable(): z.ZodType<readonly string[], string> {
  return z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .refine(
      (names) => names.every((name) => /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(name)),
      'expected names separated by commas',
    )
    .refine((names) => new Set(names).size === names.length, 'a name appears twice');
}

/** Variables of every service: its name, where HTTP listens, how much it logs. */
export type HostVariables = {
  readonly NIOBE_NAME: z.ZodType<string>;
  readonly NIOBE_HTTP_PORT: z.ZodType<number>;
  readonly NIOBE_HTTP_HOST: z.ZodType<string>;
  readonly NIOBE_LOG_LEVEL: z.ZodType<LogLevel>;
};

/** From the most talkative to the quietest. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Addresses that do not leave the machine; the HTTP edge has no authentication yet. */
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'] as const;

/** {@link HostVariables} with the defaults of one service, to be spread into its schema. */
export function hostVariables(preset: { name: string; port: number }): HostVariables {
  return {
    NIOBE_NAME: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected a name such as shard-0')
      .default(preset.name)
      .describe('name of this process in the grid'),
    NIOBE_HTTP_PORT: portVariable(preset.port).describe('port of the HTTP server'),
    NIOBE_HTTP_HOST: z
      .enum(LOOPBACK, `only loopback is allowed: ${LOOPBACK.join(', ')}`)
      .default('127.0.0.1')
      .describe('address of the HTTP server'),
    NIOBE_LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error'], 'expected debug, info, warn or error')
      .default('info')
      .describe('least level that is logged'),
  };
}
