import fc from 'fast-check';
import { formatDecimal } from '../src/decimal.ts';
import type { FieldDeclaration, FieldValue, ScalarType, ScalarValue, SchemaDeclaration } from '../src/types.ts';

/** Values and declarations for property tests. */

export const SCALAR_TYPES: readonly ScalarType[] = [
  'bool',
  'i32',
  'i64',
  'u32',
  'u64',
  'i128',
  'f64',
  'decimal',
  'text',
  'bytes',
  'timestamp',
  'enum',
  'id',
];

const ENUM_NAMES = ['red', 'green', 'blue'];

/** A bigint as the application sees it. */
function seen(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function integers(bits: number, signed: boolean): fc.Arbitrary<number | bigint> {
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const edges = fc.constantFrom(min, max, 0n, 1n, max / 2n, 2n ** 31n, 2n ** 32n - 1n);
  const any = fc.oneof(fc.bigInt({ min, max }), edges);
  return any.map((value) => seen(value > max ? max : value));
}

/** A value of a field as `decode` gives it. */
function scalarOf(field: FieldDeclaration): fc.Arbitrary<ScalarValue> {
  switch (field.type) {
    case 'bool':
      return fc.boolean();
    case 'i32':
      return integers(32, true);
    case 'u32':
      return integers(32, false);
    case 'i64':
      return integers(64, true);
    case 'u64':
      return integers(64, false);
    case 'i128':
      return integers(128, true);
    case 'f64':
      return fc.double();
    case 'decimal':
      return integers(64, true).map((scaled) => formatDecimal(scaled, field.scale ?? 0));
    case 'text':
      return fc.string({ unit: 'binary', maxLength: 40 });
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'timestamp':
      return fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
    case 'enum':
      return fc.constantFrom(...ENUM_NAMES);
    case 'id':
      return fc.integer({ min: 0, max: 2 ** 52 - 1 });
  }
}

export function valueOf(field: FieldDeclaration): fc.Arbitrary<FieldValue> {
  const value: fc.Arbitrary<FieldValue> =
    field.array === true ? fc.array(scalarOf(field), { maxLength: 5 }) : scalarOf(field);
  return field.optional === true ? fc.option(value) : value;
}

/** Any declaration with none to eight fields. */
export const declarations: fc.Arbitrary<SchemaDeclaration> = fc
  .array(fc.record({ type: fc.constantFrom(...SCALAR_TYPES), optional: fc.boolean(), array: fc.boolean() }), {
    minLength: 0,
    maxLength: 8,
  })
  .map((fields) => ({
    name: 'sample',
    key: 'text',
    fields: Object.fromEntries(fields.map((field, index) => [`f${index}`, fieldOf(field.type, field)])),
  }));

export function fieldOf(type: ScalarType, flags: { optional?: boolean; array?: boolean } = {}): FieldDeclaration {
  return {
    type,
    ...(flags.optional === true && { optional: true as const }),
    ...(flags.array === true && { array: true as const }),
    ...(type === 'decimal' && { scale: 3 }),
    ...(type === 'enum' && { values: ENUM_NAMES }),
  };
}

/** A declaration with a record of it. */
export const samples: fc.Arbitrary<{ declaration: SchemaDeclaration; record: Record<string, FieldValue> }> =
  declarations.chain((declaration) =>
    fc
      .record(Object.fromEntries(Object.entries(declaration.fields).map(([name, field]) => [name, valueOf(field)])), {
        noNullPrototype: true,
      })
      .map((record) => ({ declaration, record: record as Record<string, FieldValue> })),
  );
