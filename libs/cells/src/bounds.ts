import { compareFixed, integerWords, numberAt } from './numbers.ts';

/** The declared range of a field's values, each in the field's encoding, or null. */
export interface Bounds {
  readonly least: Uint8Array | null;
  readonly most: Uint8Array | null;
}

/** True if the value of a fixed type is within `bounds`. NaN never is. Allocates nothing. */
export function isWithin(bounds: Bounds, type: number, bytes: Uint8Array, at: number): boolean {
  const { least, most } = bounds;
  if (least !== null && compareFixed(type, bytes, at, least, 0) < 0) return false;
  if (most !== null && compareFixed(type, bytes, at, most, 0) > 0) return false;
  return integerWords(type) > 0 || !Number.isNaN(numberAt(type, bytes, at));
}
