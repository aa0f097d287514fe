/**
 * Little-endian numbers at any byte position, without a DataView and without BigInt on the hot paths: a 64-bit value is two u32, a
 * 128-bit value four, all two's complement. Plain `Uint8Array`s only, so that one piece of code reads frames, the arena and scratch.
 */

const F64 = new Float64Array(1);
const HALVES = new Uint32Array(F64.buffer);
const F32 = new Float32Array(1);
const F32_BITS = new Uint32Array(F32.buffer);
const TWO_32 = 0x1_0000_0000;
const TWO_31 = 0x8000_0000;

export function u16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function i32At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function u32At(bytes: Uint8Array, at: number): number {
  return i32At(bytes, at) >>> 0;
}

/** Writes the low 32 bits of an integer. */
export function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A signed 64-bit integer; beyond 2^53 the nearest double. */
export function i64At(bytes: Uint8Array, at: number): number {
  return u32At(bytes, at) + i32At(bytes, at + 4) * TWO_32;
}

/** An unsigned 64-bit integer; beyond 2^53 the nearest double. */
export function u64At(bytes: Uint8Array, at: number): number {
  return u32At(bytes, at) + u32At(bytes, at + 4) * TWO_32;
}

/** Writes a safe integer as 64 bits, two's complement. */
export function setI64(bytes: Uint8Array, at: number, value: number): void {
  setU32(bytes, at, value >>> 0);
  setU32(bytes, at + 4, Math.floor(value / TWO_32) | 0);
}

export function f64At(bytes: Uint8Array, at: number): number {
  HALVES[0] = i32At(bytes, at);
  HALVES[1] = i32At(bytes, at + 4);
  return F64[0]!;
}

/** Writes a double; every NaN as the same bits, so that equal values are equal bytes. */
export function setF64(bytes: Uint8Array, at: number, value: number): void {
  F64[0] = Number.isNaN(value) ? NaN : value;
  setU32(bytes, at, HALVES[0]!);
  setU32(bytes, at + 4, HALVES[1]!);
}

export function f32At(bytes: Uint8Array, at: number): number {
  F32_BITS[0] = i32At(bytes, at);
  return F32[0]!;
}

/** Writes the nearest 32-bit float; every NaN as the same bits. */
export function setF32(bytes: Uint8Array, at: number, value: number): void {
  F32[0] = Number.isNaN(value) ? NaN : value;
  setU32(bytes, at, F32_BITS[0]!);
}

/** An integer of `words` u32 as a bigint. */
export function bigintAt(bytes: Uint8Array, at: number, words: number, signed: boolean): bigint {
  const top = at + (words - 1) * 4;
  let value = BigInt(signed ? i32At(bytes, top) : u32At(bytes, top));
  for (let word = top - 4; word >= at; word -= 4) value = (value << 32n) | BigInt(u32At(bytes, word));
  return value;
}

/** Writes the low `words` u32 of a bigint, two's complement. */
export function setBigint(bytes: Uint8Array, at: number, words: number, value: bigint): void {
  for (let word = 0; word < words; word++) {
    setU32(bytes, at + word * 4, Number(BigInt.asUintN(32, value >> BigInt(word * 32))));
  }
}

/** An integer of `words` u32 as a double, rounded where it is not safe. */
export function wideAt(bytes: Uint8Array, at: number, words: number, signed: boolean): number {
  const top = at + (words - 1) * 4;
  let value = signed ? i32At(bytes, top) : u32At(bytes, top);
  for (let word = top - 4; word >= at; word -= 4) value = value * TWO_32 + u32At(bytes, word);
  return value;
}

/** Adds the integer at `addendAt` to the one at `at`; says false and changes nothing where the sum does not fit. */
export function addIntegers(
  bytes: Uint8Array,
  at: number,
  addend: Uint8Array,
  addendAt: number,
  words: number,
  signed: boolean,
): boolean {
  const top = (words - 1) * 4;
  const first = words > 1 ? u32At(bytes, at) + u32At(addend, addendAt) : 0;
  let carry = first >= TWO_32 ? 1 : 0;
  let second = 0;
  let third = 0;
  if (words === 4) {
    second = u32At(bytes, at + 4) + u32At(addend, addendAt + 4) + carry;
    third = u32At(bytes, at + 8) + u32At(addend, addendAt + 8) + (second >= TWO_32 ? 1 : 0);
    carry = third >= TWO_32 ? 1 : 0;
  }
  const highest = signed
    ? i32At(bytes, at + top) + i32At(addend, addendAt + top) + carry
    : u32At(bytes, at + top) + u32At(addend, addendAt + top) + carry;
  if (signed ? highest < -TWO_31 || highest >= TWO_31 : highest >= TWO_32) return false;
  if (words > 1) setU32(bytes, at, first >>> 0);
  if (words === 4) {
    setU32(bytes, at + 4, second >>> 0);
    setU32(bytes, at + 8, third >>> 0);
  }
  setU32(bytes, at + top, highest >>> 0);
  return true;
}

/** Negative, zero or positive as the integer at `aAt` is below, equal to or above the one at `bAt`. */
export function compareIntegers(
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  words: number,
  signed: boolean,
): number {
  const top = (words - 1) * 4;
  const difference = signed ? i32At(a, aAt + top) - i32At(b, bAt + top) : u32At(a, aAt + top) - u32At(b, bAt + top);
  if (difference !== 0) return difference;
  for (let word = top - 4; word >= 0; word -= 4) {
    const lower = u32At(a, aAt + word) - u32At(b, bAt + word);
    if (lower !== 0) return lower;
  }
  return 0;
}
