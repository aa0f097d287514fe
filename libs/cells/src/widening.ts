import type { FieldType } from './types.ts';

/** Which types hold all values of another, so that a field may become one of them. */
const WIDER: Readonly<Partial<Record<FieldType, readonly FieldType[]>>> = {
  i8: ['i16', 'i32', 'i64', 'f64'],
  i16: ['i32', 'i64', 'f64'],
  i32: ['i64', 'f64'],
  u8: ['u16', 'u32', 'u64', 'i16', 'i32', 'i64', 'f64'],
  u16: ['u32', 'u64', 'i32', 'i64', 'f64'],
  u32: ['u64', 'i64', 'f64'],
  f32: ['f64'],
};

/** True if a field of type `from` may become one of type `to`. */
export function isWider(from: FieldType, to: FieldType): boolean {
  return WIDER[from]?.includes(to) === true;
}
