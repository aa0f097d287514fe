import { TEXT_BYTES_DEFAULT, type FieldDeclaration, type ScalarType } from '@niobe/cells';
import type { EventFieldDeclaration, EventFieldType } from '@niobe/events';
import type { Dimension, DimensionKind } from './cube.ts';

/** What each type of event field can be used for in a cube. */

const INTEGERS: ReadonlySet<EventFieldType> = new Set(['i32', 'i64', 'u32', 'u64']);

/** The longest name of an enum value, as event types allow it. */
const ENUM_NAME_BYTES_MAX = 64;
/** `-9223372036854775808`. */
const INTEGER_TEXT_BYTES = 20;

/** A type as people read it: `decimal(3)`, `text`, `array of i64`. Names of enum values may be added, so they do not count. */
export function typeText(field: EventFieldDeclaration): string {
  const scalar = field.type === 'decimal' ? `decimal(${field.scale ?? 0})` : field.type;
  return field.array === true ? `array of ${scalar}` : scalar;
}

/** Can group events: equality of its values is exact and its text short. */
export function isDimension(field: EventFieldDeclaration): boolean {
  return field.array !== true && field.type !== 'f64' && field.type !== 'bytes';
}

/** Can be summed exactly. */
export function isSummable(field: EventFieldDeclaration): boolean {
  return field.array !== true && (INTEGERS.has(field.type) || field.type === 'decimal');
}

/** Has a smallest and a largest value that cells can merge. */
export function isOrdered(field: EventFieldDeclaration): boolean {
  return isSummable(field) || (field.array !== true && (field.type === 'f64' || field.type === 'timestamp'));
}

function kindOf(field: EventFieldDeclaration): DimensionKind {
  if (INTEGERS.has(field.type)) return 'integer';
  if (field.type === 'decimal' || field.type === 'bool' || field.type === 'timestamp') return field.type;
  return 'text';
}

/** The dimension that a column is. The names of an enum are kept as text, so that values can be added to it. */
export function dimensionOf(name: string, field: EventFieldDeclaration): Dimension {
  const kind = kindOf(field);
  const scale = field.scale ?? 0;
  if (kind !== 'text') {
    const cell: FieldDeclaration = { type: field.type as ScalarType, optional: true, merge: 'keep' };
    const textBytesMax = kind === 'bool' ? 1 : INTEGER_TEXT_BYTES;
    return { name, kind, scale, textBytesMax, field: kind === 'decimal' ? { ...cell, scale } : cell };
  }
  const textBytesMax = field.type === 'enum' ? ENUM_NAME_BYTES_MAX : (field.maxBytes ?? TEXT_BYTES_DEFAULT);
  return {
    name,
    kind,
    scale,
    textBytesMax,
    field: { type: 'text', optional: true, merge: 'keep', maxBytes: textBytesMax },
  };
}
