import { readFile } from 'node:fs/promises';
import { messageOf, NiobeError } from '@niobe/kernel';
import { z } from 'zod';

/**
 * How the rows of a CSV become events: `replay.json` in a deployment's folder. Every key is described in this tool's README.
 * The types of the fields are those of the deployment's event declarations and are not repeated here.
 */

const column = z.string().min(1);

const typeRule = z.union([
  z.strictObject({ column, startsWith: z.string().min(1), type: z.string().min(1) }),
  z.strictObject({ column, equals: z.string(), type: z.string().min(1) }),
  z.strictObject({ type: z.string().min(1) }),
]);

const mappingSchema = z.strictObject({
  separator: z
    .string()
    .regex(/^[^"\r\n]$/, 'one character, no quote and no line end')
    .default(','),
  columns: z.array(column).min(1).optional(),
  source: z.string().min(1),
  counters: z.record(z.string().min(1), column).default({}),
  id: z.string().min(1),
  type: z.union([z.string().min(1), z.array(typeRule).min(1)]),
  time: z.strictObject({ column, format: z.string().min(1) }).optional(),
  data: z.record(z.string(), column),
});

/** One rule of `type`; the first that holds decides. */
export type TypeRule =
  | { readonly column: string; readonly startsWith: string; readonly type: string }
  | { readonly column: string; readonly equals: string; readonly type: string }
  | { readonly type: string };

/** A checked `replay.json`. */
export interface Mapping {
  /** One character between columns. */
  readonly separator: string;
  /** Names of the columns, where the file has no header line. */
  readonly columns?: readonly string[] | undefined;
  /** Source of every event; with the id it makes the identity. */
  readonly source: string;
  /** Counter name -> column: which row with the same value of that column this is, from 1. */
  readonly counters: Readonly<Record<string, string>>;
  /** Text with `{column}` and `{counter}`. */
  readonly id: string;
  readonly type: string | readonly TypeRule[];
  readonly time?: { readonly column: string; readonly format: string } | undefined;
  /** Field -> column. */
  readonly data: Readonly<Record<string, string>>;
}

export const MAPPING_FILE = 'replay.json';

/** Checks a mapping; `BAD_DECLARATION` lists everything that is wrong, each with its path. */
export function parseMapping(json: unknown, where: string = MAPPING_FILE): Mapping {
  const result = mappingSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || '(whole file)'}: ${issue.message}`);
  throw new NiobeError('BAD_DECLARATION', `${where} is not usable:\n  ${problems.join('\n  ')}`, { problems });
}

/** Reads and checks the mapping file at `path`. */
export async function readMapping(path: string): Promise<Mapping> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const hint = missing
      ? 'this deployment has no mapping for CSV files; tools/replay/README.md says how to write one'
      : messageOf(error);
    throw new NiobeError(missing ? 'NOT_FOUND' : 'BAD_DECLARATION', `${path}: ${hint}`, {}, error);
  }
  return parseMapping(json, path);
}
