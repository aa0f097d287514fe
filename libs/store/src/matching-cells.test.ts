import { describe, expect, it } from '@jest/globals';
import { compileSchema } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import fc from 'fast-check';
import { FLAG, HEADER_BYTES, KIND } from './entry.ts';
import { MatchingCells } from './matching-cells.ts';

const SCHEMA = compileSchema(1, 1, { name: 's', key: 'text', fields: { n: { type: 'i32' }, t: { type: 'text' } } });
const RUN = 256;
const BODY_BITS = 21;

/** What a slot leads to. */
interface Entry {
  readonly kind: 'cell' | 'tombstone' | 'none';
  readonly isWide: boolean;
  readonly isExpired: boolean | null;
  readonly keyBytes: number;
  readonly n: number;
}

const entries = fc.array(
  fc.record<Entry>({
    kind: fc.constantFrom('cell', 'cell', 'cell', 'tombstone', 'none'),
    isWide: fc.boolean(),
    isExpired: fc.constantFrom(null, null, true, false),
    keyBytes: fc.nat(9),
    n: fc.integer({ min: -3, max: 3 }),
  }),
  { maxLength: RUN },
);

/** Memory with these entries; the second optional word says whether the entry is expired. */
function laidOut(all: readonly Entry[], firstPlace: number) {
  const words = new Uint32Array(16 + all.length * 16);
  const bytes = new Uint8Array(words.buffer);
  const addresses = new Uint32Array(firstPlace + RUN);
  const expired = new Set<number>();
  let address = 8;
  for (const [i, { kind, isWide, isExpired, keyBytes, n }] of all.entries()) {
    if (kind === 'none') continue;
    const out = new ByteWriter(100);
    SCHEMA.encode({ n, t: 'x' }, out);
    words[address] = KIND[kind] | (isWide ? FLAG.wide : 0) | (isExpired === null ? 0 : FLAG.expires);
    words[address + 2] = out.length | (keyBytes << BODY_BITS);
    const headerBytes = HEADER_BYTES + (isWide ? 4 : 0) + (isExpired === null ? 0 : 4);
    bytes.set(out.finish(), address * 4 + headerBytes + keyBytes);
    addresses[firstPlace + i] = address;
    if (isExpired === true) expired.add(address);
    address += Math.ceil((headerBytes + keyBytes + out.length) / 4);
  }
  const isCell = (at: number): boolean => (words[at]! & 0x0f) === KIND.cell && !expired.has(at);
  return { memory: { bytes, words, addresses }, isCell };
}

describe('matching cells', () => {
  it.each([true, false])('are those of the run that live and match, with a predicate: %s', (hasPredicate) => {
    fc.assert(
      fc.property(entries, fc.integer({ min: -3, max: 3 }), fc.nat(1000), (all, than, firstPlace) => {
        const { memory, isCell } = laidOut(all, firstPlace);
        const predicate = hasPredicate ? SCHEMA.compilePredicate([SCHEMA.path('n').clause('ge', than)]) : null;
        const matching = new MatchingCells(memory, predicate, isCell);
        const first = 5 * RUN;
        const count = matching.find(firstPlace, first, first + all.length);
        const isMatch = ({ kind, isExpired, n }: Entry): boolean =>
          kind === 'cell' && isExpired !== true && (!hasPredicate || n >= than);
        const expected = all.flatMap((entry, i) => (isMatch(entry) ? [first + i] : []));
        expect([...matching.slots.subarray(0, count)]).toEqual(expected);
      }),
    );
  });
});
