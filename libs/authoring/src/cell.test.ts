import { describe, expect, it } from '@jest/globals';
import { compileSchema, resolveDeclaration } from '@niobe/cells';
import { ByteWriter } from '@niobe/kernel';
import { declarationOf, defineCell, defineDeployment, toFiles, type NewRecordOf, type RecordOf } from './index.ts';

const town = defineCell({ name: 'town', key: 'none', fields: { name: { type: 'text' } } });
const person = defineCell({
  name: 'person',
  key: 'text',
  fields: {
    homes: {
      type: 'record',
      array: true,
      fields: { town: { schema: town, optional: true }, since: { type: 'date' } },
    },
    born: { schema: town },
    state: { type: 'enum', values: ['here', 'away'], default: 'here' },
  },
  indexes: { byTown: { on: 'homes.town.name', kind: 'sorted' } },
});

describe('a cell definition', () => {
  it('stands for the same declaration in its files as in memory', () => {
    const files = toFiles(defineDeployment({ name: 'd', shards: ['s'], cells: [town, person] }));
    const written = ['cells/town.json', 'cells/person.json'].map((path) => JSON.parse(JSON.stringify(files[path])));
    const others = new Map(written.map((json: { name: string }) => [json.name, json]));
    expect(resolveDeclaration(others.get('person'), others)).toEqual(declarationOf(person));
    expect(files['cells/person.json']).toMatchObject({ fields: { born: { schema: 'town' } } });
  });

  it('has the types of its records', () => {
    const schema = compileSchema(16, 1, declarationOf(person));
    const written: NewRecordOf<typeof person> = { homes: [{ since: '2020-01-31' }], born: { name: 'Bern' } };
    const out = new ByteWriter(1000);
    schema.encode(written, out);
    const read = schema.decode(out.buffer, 0, out.length) as RecordOf<typeof person>;
    const state: 'here' | 'away' = read.state;
    expect({ ...read, state }).toEqual({
      homes: [{ town: null, since: '2020-01-31' }],
      born: { name: 'Bern' },
      state: 'here',
    });
  });
});
