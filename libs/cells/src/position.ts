import type { FieldFacts } from './field.ts';
import { coordinatesOf } from './numbers.ts';
import { TYPE } from './type-table.ts';
import type { GeoPoint } from './types.ts';
import { violation } from './violation.ts';
import { f64At, setF64 } from './words.ts';

/** Points: two to four doubles, or latitude and longitude in degrees. */

const LATITUDE_MAX = 90;
const LONGITUDE_MAX = 180;

/** Writes an application value; throws `SCHEMA_VIOLATION`. */
export function writePosition(field: FieldFacts, bytes: Uint8Array, at: number, value: unknown): void {
  const coordinates = field.type === TYPE.geo ? coordinatesOfPoint(field, value) : value;
  const count = coordinatesOf(field.type);
  if (
    !Array.isArray(coordinates) ||
    coordinates.length !== count ||
    !coordinates.every((one) => typeof one === 'number')
  )
    throw violation(field.name, `a list of ${count} numbers is needed`);
  for (let i = 0; i < count; i++) setF64(bytes, at + i * 8, coordinates[i] as number);
  if (field.type === TYPE.geo) checkGeo(field, bytes, at);
}

function coordinatesOfPoint(field: FieldFacts, value: unknown): unknown[] {
  const { lat, lon, ...others } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof lat !== 'number' || typeof lon !== 'number' || Object.keys(others).length > 0)
    throw violation(field.name, 'an object with the numbers lat and lon is needed');
  return [lat, lon];
}

/** Throws unless the bytes are degrees of a place. */
export function checkGeo(field: FieldFacts, bytes: Uint8Array, at: number): void {
  if (!(Math.abs(f64At(bytes, at)) <= LATITUDE_MAX)) throw violation(field.name, 'lat is -90 to 90');
  if (!(Math.abs(f64At(bytes, at + 8)) <= LONGITUDE_MAX)) throw violation(field.name, 'lon is -180 to 180');
}

/** The application value of a position. */
export function readPosition(type: number, bytes: Uint8Array, at: number): number[] | GeoPoint {
  if (type === TYPE.geo) return { lat: f64At(bytes, at), lon: f64At(bytes, at + 8) };
  return Array.from({ length: coordinatesOf(type) }, (_, i) => f64At(bytes, at + i * 8));
}
