import type { FieldFacts } from './field.ts';
import { numberAt } from './numbers.ts';
import { variableBytes, writeFixed } from './scalar.ts';
import { TYPE } from './type-table.ts';
import type { ScalarValue } from './types.ts';
import { isUtf8, utf8Of } from './utf8.ts';
import { malformedAt, violation } from './violation.ts';

/**
 * The values that clauses compare with, as bytes in the encoding of the field's type; of a dict the text in UTF-8, so that a text without
 * a code is compared as well.
 */

/** The bytes of a value to compare a field with. Throws `SCHEMA_VIOLATION`. */
export function encodeScalar(field: FieldFacts, value: ScalarValue): Uint8Array {
  if (field.type === TYPE.dict) return dictText(field, value);
  if (field.bytes === 0) return variableBytes(field, value).slice();
  const bytes = new Uint8Array(field.bytes);
  writeFixed(field, bytes, 0, value);
  return bytes;
}

function dictText(field: FieldFacts, value: ScalarValue): Uint8Array {
  if (typeof value === 'string' && value.isWellFormed()) return utf8Of(value);
  throw violation(field.name, 'not a value of type dict');
}

/** Throws unless `value` can be compared with the field's values. It may be beyond the bounds of the field. */
export function checkOperand(field: FieldFacts, value: Uint8Array): void {
  if (field.type === TYPE.text || field.type === TYPE.dict) {
    if (!isUtf8(value, 0, value.length)) throw malformedAt(field.name, 'a text that is not UTF-8');
    return;
  }
  if (field.bytes === 0) return;
  if (value.length !== field.bytes) throw violation(field.name, 'a value of the wrong length');
  if (field.type === TYPE.enum && numberAt(field.type, value, 0) >= field.values.length)
    throw violation(field.name, 'an enum without such a value');
}
