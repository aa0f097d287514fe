import type { Random } from '@niobe/kernel';

/** Values that a careless or a hostile client puts where another kind belongs. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  1.5,
  1e9,
  2 ** 53,
  '',
  'links',
  '\ud800',
  [],
  [null],
  {},
  { key: 0 },
];

/** A copy of `search` that is still JSON, with one value somewhere in it replaced by an odd one or left out. */
export function oddSearch(search: object, random: Random): object {
  const copy = structuredClone(search) as Record<string, unknown>;
  const places = placesIn(copy);
  const { parent, name } = places[random.below(places.length)] ?? { parent: copy, name: 'start' };
  const choice = random.below(ODD.length + 1);
  if (choice === ODD.length) Reflect.deleteProperty(parent, name);
  else Reflect.set(parent, name, ODD[choice]);
  return copy;
}

interface Place {
  readonly parent: object;
  readonly name: string;
}

/** Every value at any depth, by what holds it. */
function placesIn(parent: object): Place[] {
  return Object.entries(parent).flatMap(([name, value]) => {
    const inside = typeof value === 'object' && value !== null ? placesIn(value as object) : [];
    return [{ parent, name }, ...inside];
  });
}
