import { endWidth, eraOf, variableEnd, variableStart, type Layout } from './layout.ts';

/**
 * Adds to `into`, by index of the field, the bytes each field of a body takes: its place in the fixed area, or its variable bytes and their
 * end offset. What is left of the body says how it is laid out. O(fields), allocates nothing.
 */
export function addFieldBytes(layout: Layout, bytes: Uint8Array, at: number, length: number, into: Float64Array): void {
  const steps = bytes[at]!;
  const era = eraOf(layout, steps);
  for (let index = 0; index < era.fieldCount[steps]!; index++) {
    const field = era.fields[index]!;
    into[index]! += field.variable
      ? variableEnd(era, field, bytes, at, length) - variableStart(era, field, bytes, at, length) + endWidth(length)
      : field.fixedBytes;
  }
}
