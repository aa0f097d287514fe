import { describe, expect, it } from '@jest/globals';
import { compileSchema, type CellRecord, type CompiledSchema } from '@niobe/cells';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import { defineCell, TypedCells, type CellClient, type CellVersion } from './index.ts';

const user = defineCell({
  name: 'user',
  key: 'text',
  fields: {
    country: { type: 'text', maxBytes: 2, optional: true },
    spent: { type: 'decimal', scale: 2, optional: true, merge: 'add' },
  },
});

/** A client whose cells are bodies in a map, written and read as everywhere. */
class MapClient implements CellClient {
  readonly #bodies = new Map<string | number, Uint8Array>();

  async get(
    schema: CompiledSchema,
    key: string | number,
  ): Promise<{ readonly record: CellRecord; readonly version: CellVersion } | null> {
    const body = this.#bodies.get(key);
    return body === undefined
      ? null
      : { record: schema.decode(body, 0, body.length), version: { epoch: 1, seq: this.#bodies.size } };
  }

  async put(schema: CompiledSchema, key: string | number, record: CellRecord): Promise<CellVersion> {
    this.#bodies.set(key, bodyOf(schema, record));
    return { epoch: 1, seq: this.#bodies.size };
  }

  async merge(schema: CompiledSchema, key: string | number, delta: CellRecord): Promise<CellVersion> {
    const present = await this.get(schema, key);
    if (present === null) return this.put(schema, key, delta);
    const old = bodyOf(schema, present.record);
    const added = bodyOf(schema, delta);
    const out = new Uint8Array(1024);
    const length = schema.merge(old, 0, old.length, added, 0, added.length, out, 0);
    this.#bodies.set(key, out.slice(0, length));
    return { epoch: 1, seq: this.#bodies.size };
  }
}

function bodyOf(schema: CompiledSchema, record: CellRecord): Uint8Array {
  const body = new ByteWriter(1024);
  schema.encode(record, body);
  return body.finish();
}

describe('TypedCells', () => {
  it('writes and reads records of the types of the definition', async () => {
    const users = new TypedCells(new MapClient(), compileSchema(16, 1, user), user);
    await users.put('u-1', { country: 'FR' });
    await users.merge('u-1', { country: 'CH', spent: '2.50' });
    await users.merge('u-1', { country: 'CH', spent: 1.25 });
    const cell = await users.get('u-1');
    const spent: string | null = cell!.record.spent;
    expect({ ...cell!.record, spent }).toEqual({ country: 'CH', spent: '3.75' });
    expect(await users.get('u-2')).toBeNull();
  });

  it('takes no other names or types', async () => {
    const users = new TypedCells(new MapClient(), compileSchema(16, 1, user), user);
    // @ts-expect-error -- `land` is no field
    await expect(users.put('u-1', { land: 'FR' })).rejects.toThrow('no such field');
    // @ts-expect-error -- a country is text
    await expect(users.put('u-1', { country: 33 })).rejects.toThrow('not a value of type text');
    // @ts-expect-error -- keys are text
    expect(await users.get(1)).toBeNull();
  });

  it('refuses a schema that is registered otherwise, and takes one with more fields', () => {
    const { country } = user.fields;
    const less = compileSchema(16, 1, { ...user, fields: { country } });
    const more = compileSchema(16, 2, { ...user, fields: { ...user.fields, age: { type: 'u32', optional: true } } });
    const refused = (): unknown => new TypedCells(new MapClient(), less, user);
    expect(refused).toThrow('fields.spent: was removed');
    expect(isNiobeError(thrown(refused), 'INCOMPATIBLE')).toBe(true);
    expect(new TypedCells(new MapClient(), more, user)).toBeInstanceOf(TypedCells);
  });
});

function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
