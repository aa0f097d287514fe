import { KEY_BYTES_MAX, TEXT_BYTES_DEFAULT, type FieldDeclaration, type SchemaDeclaration } from '@niobe/cells';
import type { EventFieldDeclaration, EventFieldType, EventType } from '@niobe/events';
import type { EdgeCounter } from '@niobe/graph';
import type { ValueSource } from './mapping.ts';

/** What each type of event field can become: a key, a field of a vertex, a counter of an edge. */

/** The name that stands for the time of the event, unless the event type has a field of this name. */
const TIME = 'time';

const INTEGERS: ReadonlySet<EventFieldType> = new Set(['i32', 'i64', 'u32', 'u64']);

/** Types whose every value fits, beside the type itself. */
const WIDER: Readonly<Partial<Record<EventFieldType, readonly FieldDeclaration['type'][]>>> = {
  i32: ['i64', 'i128', 'f64'],
  u32: ['i64', 'u64', 'i128', 'f64'],
  i64: ['i128'],
  u64: ['i128'],
  enum: ['text'],
};

const RANGES: Readonly<Partial<Record<FieldDeclaration['type'], readonly [number, number]>>> = {
  i32: [-0x8000_0000, 0x7fff_ffff],
  u32: [0, 0xffff_ffff],
  u64: [0, Number.MAX_SAFE_INTEGER],
};

/** Why an event field cannot be the key of a vertex, or null. */
export function keyProblem(name: string, field: EventFieldDeclaration, schema: SchemaDeclaration): string | null {
  if (schema.key !== 'text' && schema.key !== 'integer') return `cells of "${schema.name}" have no key of their own`;
  const isText = field.type === 'text' || field.type === 'enum';
  const fits = schema.key === 'text' ? isText : INTEGERS.has(field.type);
  if (field.array === true || !fits)
    return `"${name}" is ${typeText(field)}, the keys of "${schema.name}" are ${schema.key}`;
  const bytes = field.maxBytes ?? TEXT_BYTES_DEFAULT;
  if (field.type === 'text' && bytes > KEY_BYTES_MAX)
    return `"${name}" may have ${bytes} bytes, a key ${KEY_BYTES_MAX}; declare a smaller maxBytes`;
  return null;
}

/** Where the value of a vertex's field comes from, or what is wrong with that. */
export function fieldSource(from: string, type: EventType, to: FieldDeclaration): ValueSource | string {
  return sourceOf(from, type, to, to.optional !== true);
}

/** Where the value of a counter comes from, or what is wrong with that. */
export function counterSource(from: string | number, type: EventType, counter: EdgeCounter): ValueSource | string {
  return typeof from === 'number' ? constantOf(from, counter) : sourceOf(from, type, counter, false);
}

function constantOf(value: number, counter: EdgeCounter): ValueSource | string {
  if (counter.type === 'timestamp') return 'a timestamp cannot be a constant; "time" is that of the event';
  const [least, most] = RANGES[counter.type] ?? [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const constant = counter.type === 'decimal' ? value * 10 ** (counter.scale ?? 0) : value;
  if (constant < least || constant > most || !Number.isSafeInteger(constant))
    return `${value} does not fit ${typeText(counter)}`;
  return { kind: 'constant', constant };
}

function sourceOf(from: string, type: EventType, to: TypedField, isNeeded: boolean): ValueSource | string {
  const field = type.field(from);
  if (field === undefined && from === TIME)
    return to.type === 'timestamp' && !isArray(to) && !isBounded(to)
      ? { kind: 'time' }
      : `the time of an event is a timestamp, not ${typeText(to)}`;
  if (field === undefined)
    return `${type.name} has no field "${from}"; there are ${type.fields.map(({ name }) => name).join(', ')}, and time`;
  if (!fits(field.declaration, to))
    return `"${from}" is ${typeText(field.declaration)}, which does not fit ${typeText(to)}`;
  if (isNeeded && field.declaration.optional === true) return `"${from}" may be absent, where a value is needed`;
  return { kind: 'field', index: field.index };
}

/** Whether every value of an event field fits. */
function fits(from: EventFieldDeclaration, to: TypedField): boolean {
  if (from.array === true || isArray(to) || isBounded(to)) return false;
  if (to.type !== from.type) return isWider(from, to);
  switch (from.type) {
    case 'decimal':
      return (from.scale ?? 0) === (to.scale ?? 0);
    case 'text':
    case 'bytes':
      return (from.maxBytes ?? TEXT_BYTES_DEFAULT) <= (to.maxBytes ?? TEXT_BYTES_DEFAULT);
    case 'enum':
      return (from.values ?? []).every((value) => to.values?.includes(value) === true);
    default:
      return true;
  }
}

function isArray({ array = false }: TypedField): boolean {
  return array !== false;
}

function isBounded({ min, max }: TypedField): boolean {
  return min !== undefined || max !== undefined;
}

function isWider(from: EventFieldDeclaration, to: TypedField): boolean {
  const longest = Math.max(0, ...(from.values ?? []).map((value) => value.length));
  return WIDER[from.type]?.includes(to.type) === true && longest <= (to.maxBytes ?? TEXT_BYTES_DEFAULT);
}

/** What of a field, of an event or a cell, says which values it has. */
interface TypedField {
  readonly type: FieldDeclaration['type'];
  readonly array?: boolean | number | undefined;
  readonly scale?: number | undefined;
  readonly values?: readonly string[] | undefined;
  readonly maxBytes?: number | undefined;
  readonly min?: number | string | undefined;
  readonly max?: number | string | undefined;
}

function typeText(field: TypedField): string {
  const { type, scale, maxBytes } = field;
  const sized = type === 'text' || type === 'bytes' ? `${type} of up to ${maxBytes ?? TEXT_BYTES_DEFAULT} bytes` : type;
  const scalar = type === 'decimal' ? `decimal(${scale ?? 0})` : sized;
  const whole = isArray(field) ? `array of ${scalar}` : scalar;
  return isBounded(field) ? `${whole} with bounds` : whole;
}
