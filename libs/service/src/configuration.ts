import { NiobeError } from '@niobe/kernel';
import { z } from 'zod';

/**
 * Configuration comes from the environment alone, through one zod object whose keys are the names of the variables. Everything that
 * is wrong is said at once, each line with the variable's name; the text of `--help` is made from the same object.
 */

/** A schema whose keys are names of environment variables. */
export type ConfigSchema = z.ZodObject<Record<string, z.ZodType>>;

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The frozen configuration in `environment`. An empty variable counts as absent.
 * Throws `BAD_CONFIG`, one line a variable that is wrong.
 */
export function readConfiguration<S extends ConfigSchema>(schema: S, environment: Environment): Readonly<z.infer<S>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => describeIssue(schema, issue, given));
  throw new NiobeError('BAD_CONFIG', problems.join('\n'), { problems });
}

function describeIssue(schema: ConfigSchema, issue: z.core.$ZodIssue, given: Environment): string {
  const name = String(issue.path[0] ?? '');
  if (given[name] === undefined) return `${name} is missing: ${schema.shape[name]?.description ?? 'it is required'}`;
  return `${name}=${given[name]}: ${issue.message}`;
}

/** The variables of a service as text for `--help`: name, default, meaning. */
export function describeVariables(schema: ConfigSchema): string {
  const rows = Object.entries(schema.shape).map(([name, variable]) => ({
    name,
    meaning: variable.description ?? '',
    preset: presetOf(variable),
  }));
  const width = Math.max(...rows.map((row) => row.name.length));
  return rows.map((row) => `  ${row.name.padEnd(width)}  ${row.meaning} (${row.preset})`).join('\n');
}

function presetOf(variable: z.ZodType): string {
  if (variable instanceof z.ZodDefault) return `default ${String(variable.def.defaultValue)}`;
  if (variable instanceof z.ZodPrefault) return `default ${String(variable.def.defaultValue)}`;
  return variable.safeParse(undefined).success ? 'optional' : 'required';
}
