import { describe, expect, it } from '@jest/globals';
import { compileSchema, joinRevisions, type FieldDeclarations, type SchemaDeclaration } from '@niobe/cells';
import type { Assignment, ValueSource } from '../mapping/mapping.ts';
import { registeredSets, toldFields } from './registered-sets.ts';

const time: ValueSource = { kind: 'time' };
const declare = (fields: FieldDeclarations): SchemaDeclaration => ({ name: 'guest', key: 'text', fields });
const first = declare({
  left: { type: 'timestamp', optional: true, merge: 'max' },
  visits: { type: 'u32', optional: true, merge: 'add' },
  note: { type: 'text', optional: true },
});
const setsOf = (...fields: readonly number[]): Assignment[] => fields.map((field) => ({ field, value: time }));

describe('what a rule sets', () => {
  it('goes to the fields of its names, wherever they stand in the registered schema', () => {
    const declared = declare({ seen: { type: 'timestamp', optional: true, merge: 'min' }, ...first.fields });
    const schema = compileSchema(16, 2, joinRevisions(first, declared));
    const names = Object.keys(declared.fields);
    expect(registeredSets(schema, names, setsOf(1, 2)).map(({ field }) => field)).toEqual([0, 1]);
    expect(() => registeredSets(schema, names, setsOf(0))).toThrow(
      expect.objectContaining({ code: 'INCOMPATIBLE', message: expect.stringContaining('"note" of "guest"') }),
    );
  });

  it('is told with all other fields once one of them was widened', () => {
    const declared = declare({ ...first.fields, visits: { type: 'u64', optional: true, merge: 'add' } });
    const schema = compileSchema(16, 2, joinRevisions(first, declared));
    expect([0, 1, 3].map((needed) => toldFields(schema, needed))).toEqual([0, 3, 3]);
    expect(toldFields(compileSchema(16, 1, first), 2)).toBe(2);
    expect(() => registeredSets(schema, Object.keys(declared.fields), setsOf(0))).toThrow(/would empty "note"/);
    expect(registeredSets(schema, Object.keys(declared.fields), setsOf(0, 2))).toHaveLength(2);
    expect(registeredSets(schema, Object.keys(declared.fields), [])).toEqual([]);
  });
});
