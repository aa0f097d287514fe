import { beforeEach, describe, expect, it } from '@jest/globals';
import { SchemaTable, type SchemaDeclaration } from '@niobe/cells';
import { ByteWriter, silentLogger, systemClock, until } from '@niobe/kernel';
import { MemorySharedMaps } from './memory-shared-maps.ts';
import { parseCatalogueSnapshot, SchemaCatalogue } from './schema-catalogue.ts';
import { CURSOR_SCHEMA_ID, EDGE_CHUNK_SCHEMA_ID, SEEN_SCHEMA_ID } from './system-schemas.ts';

const SOON_MS = 5_000;
const views: SchemaDeclaration = {
  name: 'cube/views@1/0',
  key: 'text',
  fields: { count: { type: 'u64', merge: 'add' } },
};
const wider: SchemaDeclaration = { ...views, fields: { last: { type: 'timestamp', optional: true }, ...views.fields } };
const users: SchemaDeclaration = { name: 'users', key: 'integer', fields: { name: { type: 'text' } } };

describe('SchemaCatalogue', () => {
  let maps: MemorySharedMaps;

  beforeEach(() => {
    maps = new MemorySharedMaps(systemClock);
  });

  async function open(): Promise<{ catalogue: SchemaCatalogue; schemas: SchemaTable }> {
    const schemas = new SchemaTable();
    return { catalogue: await SchemaCatalogue.open({ maps, schemas, logger: silentLogger }), schemas };
  }

  it('knows the system schemas without the map', async () => {
    const { schemas, catalogue } = await open();
    expect(schemas.get(CURSOR_SCHEMA_ID)?.name).toBe('niobe.cursor');
    expect(schemas.get(SEEN_SCHEMA_ID)?.name).toBe('niobe.seen');
    await catalogue.caughtUp;
    await expect(catalogue.ensure([{ ...users, name: 'niobe.seen' }])).rejects.toMatchObject({
      code: 'BAD_DECLARATION',
    });
  });

  it('gives an id once and the same to everybody', async () => {
    const one = await open();
    const other = await open();
    const [a, b] = await Promise.all([one.catalogue.ensure([views, users]), other.catalogue.ensure([users, views])]);
    expect([a[0]!.id, a[1]!.id]).toEqual([b[1]!.id, b[0]!.id]);
    expect(a[0]!.id).not.toBe(a[1]!.id);
    expect(Math.min(a[0]!.id, a[1]!.id)).toBeGreaterThanOrEqual(16);
    expect((await one.catalogue.ensure([views]))[0]).toMatchObject({ id: a[0]!.id, revision: 1 });
  });

  it('raises the revision for added optional fields, puts them last, and others follow', async () => {
    const one = await open();
    const other = await open();
    const [first] = await one.catalogue.ensure([views]);
    const [second] = await one.catalogue.ensure([wider]);
    expect(second).toMatchObject({ id: first!.id, revision: 2 });
    expect(second!.fields.map((field) => field.name)).toEqual(['count', 'last']);
    await until(systemClock, () => other.schemas.get(first!.id)?.revision === 2, SOON_MS, 'the other following');
    expect((await one.catalogue.ensure([wider]))[0]!.revision).toBe(2);
  });

  it('refuses anything else, naming schema, field and reason', async () => {
    const { catalogue } = await open();
    await catalogue.ensure([views]);
    const changed: SchemaDeclaration = { ...views, fields: { count: { type: 'f64', merge: 'add' } } };
    await expect(catalogue.ensure([changed])).rejects.toMatchObject({
      code: 'INCOMPATIBLE',
      message: expect.stringMatching(/cube\/views@1\/0.*fields\.count\.type: u64 became f64/),
    });
    await expect(catalogue.ensure([{ ...users, key: 'date' } as unknown as SchemaDeclaration])).rejects.toMatchObject({
      code: 'BAD_DECLARATION',
    });
  });

  it('gives a dict its new texts, each once and the same number to everybody', async () => {
    const lines = { type: 'record', array: true, fields: { colour: { type: 'dict' } } } as const;
    const orders: SchemaDeclaration = { name: 'orders', key: 'text', fields: { lines } };
    const one = await open();
    const other = await open();
    const [first] = await one.catalogue.ensure([orders]);
    const order = (colour: string): unknown => first!.encode({ lines: [{ colour }] }, new ByteWriter(100));
    expect(() => order('red')).toThrow(expect.objectContaining({ details: { path: 'lines[0].colour' } }));
    await Promise.all([
      one.catalogue.ensureTexts('orders', 'lines[0].colour', ['red', 'blue', 'red']),
      other.catalogue.ensureTexts('orders', 'lines.colour', ['green', 'red']),
    ]);
    const [newest] = await one.catalogue.ensure([orders]);
    expect(newest!.revision).toBe(3);
    const { values } = newest!.path('lines.colour').field;
    expect(values.toSorted()).toEqual(['blue', 'green', 'red']);
    expect((await other.catalogue.ensureTexts('orders', 'lines.colour', ['blue'])).revision).toBe(3);
    await until(systemClock, () => other.schemas.get(first!.id)?.revision === 3, SOON_MS, 'the other following');
    const body = new ByteWriter(100);
    newest!.encode({ lines: [{ colour: 'blue' }] }, body);
    expect(other.schemas.get(first!.id)!.decode(body.buffer, 0, body.length)).toEqual({ lines: [{ colour: 'blue' }] });
  });

  it('refuses texts where there is no dict, or none that has room', async () => {
    const { catalogue } = await open();
    await catalogue.ensure([users]);
    const texts = ['x'.repeat(256)];
    await expect(catalogue.ensureTexts('nobody', 'name', ['a'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(catalogue.ensureTexts('users', 'name', ['a'])).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await catalogue.ensure([{ name: 'dicts', key: 'none', fields: { text: { type: 'dict' } } }]);
    await expect(catalogue.ensureTexts('dicts', 'text', texts)).rejects.toMatchObject({ code: 'BAD_DECLARATION' });
  });

  it('never gives an id again, also after its schema was removed', async () => {
    const { catalogue } = await open();
    const [first] = await catalogue.ensure([views]);
    await catalogue.remove(views.name);
    const again = await open();
    const [second] = await again.catalogue.ensure([views]);
    expect(second!.id).toBeGreaterThan(first!.id);
  });

  it('is put back from its snapshot when the map was lost', async () => {
    const { catalogue } = await open();
    await catalogue.ensure([users, views]);
    await catalogue.ensure([wider]);
    const snapshot = parseCatalogueSnapshot(JSON.parse(JSON.stringify(await catalogue.snapshot())));
    maps = new MemorySharedMaps(systemClock);
    const rebuilt = await open();
    await rebuilt.catalogue.restore(snapshot);
    await rebuilt.catalogue.restore(snapshot);
    expect(await rebuilt.catalogue.snapshot()).toEqual(snapshot);
    expect((await rebuilt.catalogue.ensure([wider]))[0]).toMatchObject({ revision: 2 });
    const [next] = await rebuilt.catalogue.ensure([{ ...users, name: 'later' }]);
    expect(next!.id).toBe(snapshot.nextId);
  });

  it('leaves out rows that are none', async () => {
    const loose = await maps.open('schemas', (row) => row);
    await loose.create('bad', { id: 3 });
    await loose.create('worse', { id: 20, revision: 1, declaration: { name: 'worse' } });
    const { catalogue, schemas } = await open();
    await catalogue.caughtUp;
    expect(schemas.list().map((schema) => schema.id)).toEqual([CURSOR_SCHEMA_ID, SEEN_SCHEMA_ID, EDGE_CHUNK_SCHEMA_ID]);
    for (const wrong of [null, {}, { nextId: 16 }, { nextId: 16, schemas: [{}] }, { nextId: 1, schemas: [] }])
      expect(() => parseCatalogueSnapshot(wrong)).toThrow(expect.objectContaining({ name: 'NiobeError' }));
  });
});
