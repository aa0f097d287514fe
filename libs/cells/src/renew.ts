import type { ByteWriter } from '@niobe/kernel';
import type { BodyBuilder } from './body-builder.ts';
import type { Field } from './field.ts';
import { eraOf, fixedAt, isNullAt, variableEnd, variableStart, type Layout } from './layout.ts';
import { isNullItem, itemsStart } from './list.ts';
import { numberAt } from './numbers.ts';
import { writeNumber } from './scalar.ts';

/**
 * Values of bodies of earlier eras, in the form that their fields have now: what the body does not know is the default or null, what
 * was narrower is written wider. Records need nothing: each says its own steps.
 */

/**
 * The bytes of a field's value in its present form, null where it is null. The body is checked and of an era before the layout's. Bytes
 * that are the same in either form are a view of the body. O(value).
 */
export function renewedValue(
  layout: Layout,
  field: Field,
  bytes: Uint8Array,
  at: number,
  length: number,
): Uint8Array | null {
  const steps = bytes[at]!;
  const era = eraOf(layout, steps);
  if (field.index >= era.fieldCount[steps]!) return field.given;
  const was = era.fields[field.index]!;
  if (isNullAt(was, bytes, at)) return null;
  const [start, end] = rangeOf(era, was, bytes, at, length);
  return was.type === field.type ? bytes.subarray(start, end) : widened(was, field, bytes, start, end);
}

function rangeOf(era: Layout, field: Field, bytes: Uint8Array, at: number, length: number): readonly [number, number] {
  if (field.variable) return [variableStart(era, field, bytes, at, length), variableEnd(era, field, bytes, at, length)];
  const start = fixedAt(era, field, bytes, at);
  return [start, start + field.fixedBytes];
}

/** A value or list of a narrower type as one of a wider. Every narrow value is a double exactly, so it goes over as one. */
function widened(from: Field, to: Field, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const first = from.array ? itemsStart(from, bytes, start) : start;
  const count = (end - first) / from.bytes;
  const wide = new Uint8Array(first - start + count * to.bytes);
  wide.set(bytes.subarray(start, first));
  for (let i = 0; i < count; i++) {
    if (isNullItem(from, bytes, start, i)) continue;
    const value = numberAt(from.type, bytes, first + i * from.bytes);
    writeNumber(to, wide, first - start + i * to.bytes, value);
  }
  return wide;
}

/** Writes a checked body of an earlier era as one that is written now, by the builder of its layout. O(body). */
export function renewBody(
  layout: Layout,
  builder: BodyBuilder,
  bytes: Uint8Array,
  at: number,
  length: number,
  out: ByteWriter,
): void {
  builder.begin(out);
  for (const field of layout.placed) {
    const value = renewedValue(layout, field, bytes, at, length);
    if (value === null) builder.setNull(field.index);
    else builder.setEncoded(field.index, value, 0, value.length);
  }
  builder.end();
}

/** By how much a body of an earlier era can grow when it is renewed: a factor for what it holds, and bytes for what is added. */
export function growthOf(layout: Layout): { readonly factor: number; readonly added: number } {
  let factor = 1;
  for (let era = layout.past(); era !== null; era = era.past()) {
    for (const { index, bytes, array } of era.fields)
      if (array && bytes > 0) factor = Math.max(factor, layout.fields[index]!.bytes / bytes);
  }
  const added = layout.variables.reduce((sum, { given }) => sum + (given?.length ?? 0), 0);
  return { factor, added };
}
