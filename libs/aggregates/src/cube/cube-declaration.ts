import { z } from 'zod';
import { parseDurationMs } from './duration.ts';
import { WINDOWS, type WindowName } from './window.ts';

/**
 * What a `cubes/*.json` file says: which events are counted, by which sets of dimensions, in which windows, and what is measured.
 * This file checks the shape alone; whether the named fields exist is checked where the cube meets the event types (compile-cube.ts).
 */

/** Dimensions of one set, at most. */
const DIMENSIONS_MAX = 8;
/** Sets of one cube, at most. Each costs one group lookup per event. */
export const SETS_MAX = 16;
/** Measures of one cube, at most. */
const MEASURES_MAX = 16;
/** Event types of one cube, at most. */
const EVENT_TYPES_MAX = 32;
/** The longest grace, in milliseconds: 31 days. */
const GRACE_MS_MAX: number = 31 * 86_400_000;

/** Words of the query and of its rows: no dimension or measure may take them. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'by',
  'cursor',
  'final',
  'from',
  'limit',
  'order',
  'pane',
  'panes',
  'to',
]);

/** What is measured per group: how many events, or something of their fields. */
export type MeasureDeclaration =
  'count' | { readonly sum: string | readonly [string, string] } | { readonly min: string } | { readonly max: string };

/** One declared cube. */
export interface CubeDeclaration {
  readonly name: string;
  /** Event types that are counted. */
  readonly on: readonly string[];
  /** Sets of dimensions; `[]` is the total. Order of the sets and inside a set is part of the cube. */
  readonly by: readonly (readonly string[])[];
  readonly window: WindowName;
  readonly measures: Readonly<Record<string, MeasureDeclaration>>;
  /** How long a pane is kept after its end: `forever` or a length such as `7d`. */
  readonly keep: string;
  /** How far the watermark must have passed the end of a pane before it is called final. */
  readonly graceMs: number;
}

const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'is no field name: a letter, then letters, digits, _');

const freeName = fieldName.refine(
  (name) => !RESERVED_NAMES.has(name),
  'is a word of the query and cannot be a name here',
);

const measure = z.union(
  [
    z.literal('count'),
    z.strictObject({ sum: z.union([fieldName, z.tuple([fieldName, fieldName])]) }),
    z.strictObject({ min: fieldName }),
    z.strictObject({ max: fieldName }),
  ],
  'is one of "count", {"sum": field}, {"sum": [field, field]}, {"min": field}, {"max": field}',
);

const distinct = (names: readonly string[]): boolean => new Set(names).size === names.length;

const dimensionSet = z.array(freeName).max(DIMENSIONS_MAX).refine(distinct, 'names a dimension twice');

const cubeShape = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'is no cube name: a lower-case letter, then up to 39 of a-z 0-9 _ -'),
    on: z.array(z.string().min(1)).min(1).max(EVENT_TYPES_MAX).refine(distinct, 'names an event type twice'),
    by: z
      .array(dimensionSet)
      .min(1)
      .max(SETS_MAX)
      .refine(
        (sets) => distinct(sets.map((set) => set.toSorted().join())),
        'declares the same set of dimensions twice',
      ),
    window: z.enum(WINDOWS),
    measures: z
      .record(freeName, measure)
      .refine((measures) => Object.keys(measures).length > 0, 'declares no measure')
      .refine(
        (measures) => Object.keys(measures).length <= MEASURES_MAX,
        `declares more than ${MEASURES_MAX} measures`,
      ),
    keep: z
      .string()
      .refine(
        (keep) => keep === 'forever' || parseDurationMs(keep) !== null,
        'is neither "forever" nor a length such as "90m", "12h" or "7d"',
      ),
    graceMs: z.int().min(0).max(GRACE_MS_MAX).default(0),
  })
  .refine((cube) => cube.window !== 'all' || cube.keep === 'forever', {
    path: ['keep'],
    message: 'must be "forever" where the window is "all": a pane without end never expires',
  })
  .refine((cube) => !cube.by.flat().some((dimension) => Object.hasOwn(cube.measures, dimension)), {
    path: ['measures'],
    message: 'gives a measure the name of a dimension',
  });

/** One thing that is wrong in a declaration, and where. */
export interface DeclarationProblem {
  readonly path: string;
  readonly message: string;
}

/** `value` as a declaration, or every problem of its shape with its path below `at`. */
export function readCubeDeclaration(value: unknown, at: string): CubeDeclaration | DeclarationProblem[] {
  const result = cubeShape.safeParse(value);
  if (result.success) return result.data;
  return result.error.issues.map((issue) => ({ path: pathText(at, issue.path), message: issue.message }));
}

function pathText(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), at);
}
