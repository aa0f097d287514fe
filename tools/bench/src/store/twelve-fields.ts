import type { CellRecord, SchemaDeclaration } from '@niobe/cells';
import type { Random } from '@niobe/kernel';

/** A record of twelve fields, as an application keeps one of a person: what single fields are read from and filtered by. */

const CITIES: readonly string[] = Array.from({ length: 500 }, (_, n) => `City of number ${n}`);
const COUNTRIES: readonly string[] = Array.from({ length: 100 }, (_, n) => `C${n}`);

const FIELDS = {
  account: { type: 'i64' },
  name: { type: 'text' },
  email: { type: 'text' },
  age: { type: 'u8' },
  balance: { type: 'decimal', scale: 2 },
  isActive: { type: 'bool' },
  joined: { type: 'timestamp' },
  city: { type: 'dict', values: CITIES },
  country: { type: 'enum', values: COUNTRIES },
  visits: { type: 'u32' },
  score: { type: 'f64' },
  referrer: { type: 'i64', optional: true },
} as const;

/** Ages are 0 to this, exclusive. */
export const AGES = 100;

export const PERSON: SchemaDeclaration = { name: 'person', key: 'none', fields: FIELDS };

/** Person number n. */
export function personOf(n: number, random: Random): CellRecord {
  return {
    account: 8_800_000_000 + n,
    name: `First${random.below(1000)} Last${n}`,
    email: `user-${n}@example.org`,
    age: random.below(AGES),
    balance: (random.below(1_000_000) / 100).toFixed(2),
    isActive: random.below(2) === 1,
    joined: 1_700_000_000_000 + random.below(1_000_000_000),
    city: CITIES[random.below(CITIES.length)]!,
    country: COUNTRIES[random.below(COUNTRIES.length)]!,
    visits: random.below(10_000),
    score: random.below(1_000_000) / 1_000_000,
    referrer: random.below(2) === 1 ? random.below(1_000_000) : null,
  };
}
