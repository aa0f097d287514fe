import { NiobeError } from '@niobe/kernel';

/** Reading rows of shared maps, which come from outside: what is wrong is `MALFORMED`, naming the row's field. */

/** A row that is known to be an object. */
export type RowObject = Readonly<Record<string, unknown>>;

/** `row` as an object. */
export function objectRow(row: unknown, what: string): RowObject {
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as RowObject;
  throw new NiobeError('MALFORMED', `${what} is not an object`);
}

/** The integer field `name`, within `least` and `most`. */
export function integerField(row: RowObject, name: string, least: number, most: number, what: string): number {
  const value = row[name];
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new NiobeError('MALFORMED', `${what}: ${name} is not an integer of ${least} to ${most}`, { path: name });
}

/** The text field `name`, of 1 to 200 characters. */
export function textField(row: RowObject, name: string, what: string): string {
  const value = row[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= 200) return value;
  throw new NiobeError('MALFORMED', `${what}: ${name} is not a text of 1 to 200 characters`, { path: name });
}
