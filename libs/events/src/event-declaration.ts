import { z } from 'zod';

/**
 * What an event type declares. The same declaration gives validation at the collector, the Kafka record and the columns that cubes
 * may use. Rules that concern one declaration alone live here; those between files in `read-deployment.ts`.
 */

/** Types an event field may have: the cell types that JSON can carry. */
export type EventFieldType =
  'bool' | 'i32' | 'i64' | 'u32' | 'u64' | 'f64' | 'decimal' | 'text' | 'bytes' | 'timestamp' | 'enum';

/** One field of an event's `data`. */
export interface EventFieldDeclaration {
  readonly type: EventFieldType;
  /** May be absent or `null`. */
  readonly optional?: boolean | undefined;
  /** A JSON array of `type`. */
  readonly array?: boolean | undefined;
  /** Digits after the point; `decimal` only. */
  readonly scale?: number | undefined;
  /** Names in order; `enum` only. */
  readonly values?: readonly string[] | undefined;
  /** UTF-8 bytes of a `text`, bytes of a `bytes`; default as in cells, 4096. */
  readonly maxBytes?: number | undefined;
  /** Bound of an array; default as in cells, 1024. */
  readonly maxItems?: number | undefined;
}

/** A declared event type. */
export interface EventTypeDeclaration {
  readonly type: string;
  readonly topic: string;
  /** Field whose value is the record's key; null: the event's id. */
  readonly key: string | null;
  /** Field that says whose event it is. */
  readonly user?: string | undefined;
  readonly fields: Readonly<Record<string, EventFieldDeclaration>>;
}

/** Fields of one event type. */
const FIELDS_LIMIT = 256;

/** Types whose values make a record key: their text is canonical. */
const KEY_TYPES: ReadonlySet<unknown> = new Set(['text', 'enum', 'i32', 'i64', 'u32', 'u64']);
const SIZED_TYPES: ReadonlySet<EventFieldType> = new Set(['text', 'bytes']);

/** A name found on every JavaScript object would read as present where it is absent. */
const isFree = (name: string): boolean => !(name in Object.prototype);

const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'a name is a letter, then letters, digits and _, at most 64')
  .refine(isFree, 'this name is taken by the language; choose another');

const enumName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'a value is 1 to 64 letters, digits, _ . -');

const fieldSchema = z
  .strictObject({
    type: z.enum(['bool', 'i32', 'i64', 'u32', 'u64', 'f64', 'decimal', 'text', 'bytes', 'timestamp', 'enum']),
    optional: z.boolean().optional(),
    array: z.boolean().optional(),
    scale: z.int().min(0).max(9).optional(),
    values: z.array(enumName).min(1).max(1024).optional(),
    maxBytes: z.int().min(1).max(65_536).optional(),
    maxItems: z.int().min(1).max(65_536).optional(),
  })
  .superRefine(checkField);

function checkField(field: EventFieldDeclaration, context: z.RefinementCtx): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path: [path], message });
  const { type, scale, values, maxBytes, maxItems, array } = field;
  if (type === 'decimal' && scale === undefined) report('scale', 'a decimal needs its scale, 0 to 9');
  if (type !== 'decimal' && scale !== undefined) report('scale', `belongs to decimal, not to ${type}`);
  if (type === 'enum' && values === undefined) report('values', 'an enum needs its values');
  if (type !== 'enum' && values !== undefined) report('values', `belongs to enum, not to ${type}`);
  if (values !== undefined && new Set(values).size !== values.length) report('values', 'a value appears twice');
  if (maxBytes !== undefined && !SIZED_TYPES.has(type)) report('maxBytes', `belongs to text and bytes, not to ${type}`);
  if (maxItems !== undefined && array !== true) report('maxItems', 'belongs to an array');
}

/** One file of `events/`, but for what {@link checkReferences} checks. */
export const eventTypeSchema: z.ZodType<EventTypeDeclaration> = z.strictObject({
  type: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, 'a type is a letter, then letters, digits, _ . -, at most 128'),
  topic: z.string(),
  key: z.string().nullable(),
  user: z.string().optional(),
  fields: z
    .record(fieldName, fieldSchema)
    .refine((fields) => Object.keys(fields).length <= FIELDS_LIMIT, `more than ${FIELDS_LIMIT} fields`),
});

/** Receives what is wrong at a path. */
export type Report = (path: string, message: string) => void;

/**
 * Checks that `key` and `user` name fields that can be so. It looks at the JSON as it was read, so that it says what it finds even where
 * the shape is wrong elsewhere.
 */
export function checkReferences(json: unknown, report: Report): void {
  const { key, user, fields } = Object(json) as Record<string, unknown>;
  const declared = Object(fields) as Record<string, unknown>;
  if (typeof key === 'string') checkReference(declared, 'key', key, report);
  if (typeof user === 'string') checkReference(declared, 'user', user, report);
}

function checkReference(
  fields: Readonly<Record<string, unknown>>,
  path: 'key' | 'user',
  name: string,
  report: Report,
): void {
  if (!Object.hasOwn(fields, name)) return report(path, `names the field "${name}", which is not declared`);
  const { type, array } = Object(fields[name]) as Record<string, unknown>;
  if (array === true) return report(path, `the field "${name}" is an array`);
  if (!KEY_TYPES.has(type))
    report(path, `the field "${name}" is ${String(type)}; possible are ${[...KEY_TYPES].join(', ')}`);
}
