import { describe, expect, it } from '@jest/globals';
import { ByteWriter, isNiobeError } from '@niobe/kernel';
import fc from 'fast-check';
import { declarations, fieldOf, samples } from '../test/arbitraries.ts';
import { chains } from '../test/revision-chains.ts';
import { joinRevisions } from './revisions.ts';
import { compileSchema, type CompiledSchema } from './schema.ts';
import type { FieldDeclaration, JsonValue, SchemaDeclaration } from './types.ts';

const CODES = ['MALFORMED', 'SCHEMA_VIOLATION', 'TOO_LARGE', 'NOT_READY'];

/** True if the body passes; a refusal must be typed. */
function passes(schema: CompiledSchema, bytes: Uint8Array, at: number, length: number): boolean {
  try {
    schema.check(bytes, at, length);
    return true;
  } catch (error) {
    if (!isNiobeError(error)) throw error;
    expect(CODES).toContain(error.code);
    return false;
  }
}

/** Whatever passes can be read, and means the same when written again. */
function checkReadable(schema: CompiledSchema, bytes: Uint8Array, at: number, length: number): void {
  const record = schema.decode(bytes, at, length);
  const out = new ByteWriter(4 * 1024 * 1024);
  schema.encode(record, out);
  expect(schema.decode(out.finish(), 0, out.length)).toStrictEqual(record);
}

describe('check', () => {
  it('refuses random bytes with a code, or they can be read', () => {
    fc.assert(
      fc.property(declarations, fc.uint8Array({ maxLength: 60 }), (declaration, bytes) => {
        const schema = compileSchema(16, 1, declaration);
        if (bytes.length > 0) bytes[0] = bytes[0]! % 10;
        if (passes(schema, bytes, 0, bytes.length)) checkReadable(schema, bytes, 0, bytes.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses changed, shortened and lengthened bodies, or they can be read', () => {
    const change = fc.record({
      at: fc.nat(),
      to: fc.integer({ min: 0, max: 255 }),
      cut: fc.integer({ min: -3, max: 3 }),
    });
    fc.assert(
      fc.property(samples, change, ({ declaration, record }, { at, to, cut }) => {
        const schema = compileSchema(16, 1, declaration);
        const out = new ByteWriter(1024 * 1024);
        schema.encode(record, out);
        const body = new Uint8Array(out.length + 8);
        body.set(out.finish(), 2);
        body[2 + (at % out.length)] = to;
        const length = Math.max(0, out.length + cut);
        if (passes(schema, body, 2, length)) checkReadable(schema, body, 2, length);
      }),
      { numRuns: 1000 },
    );
  });

  it('does so for bodies of every revision before', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), fc.nat(255), (chain, revision, at, to) => {
        let known: SchemaDeclaration | null = null;
        const schemas = chain.map(({ declaration }, i) => {
          known = known === null ? declaration : joinRevisions(known, declaration);
          return compileSchema(16, i + 1, known);
        });
        const out = new ByteWriter(1024 * 1024);
        schemas[revision % chain.length]!.encode(chain[revision % chain.length]!.record, out);
        const body = out.finish();
        body[at % body.length] = to;
        const newest = schemas.at(-1)!;
        if (passes(newest, body, 0, body.length)) checkReadable(newest, body, 0, body.length);
      }),
      { numRuns: 600 },
    );
  });

  it('names the path of what it refuses', () => {
    const line: FieldDeclaration = { type: 'record', array: true, fields: { tags: { type: 'bool', array: true } } };
    const schema = compileSchema(16, 1, { name: 's', key: 'text', fields: { lines: line } });
    const out = new ByteWriter(1000);
    schema.encode({ lines: [{ tags: [] }, { tags: [true, false, true] }] }, out);
    const body = out.finish();
    body[body.length - 1] = 2;
    expect(() => schema.check(body, 0, body.length)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', details: { path: 'lines[1].tags[2]' } }),
    );
  });

  it.each([
    ['['.repeat(65) + ']'.repeat(65), /nested more than 64/],
    ['{"a":'.repeat(100_000), /nested more than 64/],
    ['{"a":[1,]}', /not JSON/],
    ['', /not JSON/],
    ['[1e999]', /infinite/],
    [String.raw`{"\ud800":1}`, /surrogate/],
    [String.raw`["\udc00"]`, /surrogate/],
  ])('refuses the JSON %.20s', (text, reason) => {
    const fields = { json: { type: 'json', maxBytes: 1_000_000 }, text: { type: 'text', maxBytes: 1_000_000 } };
    const schema = (...names: ('json' | 'text')[]): CompiledSchema =>
      compileSchema(1, 1, {
        name: 's',
        key: 'text',
        fields: Object.fromEntries(names.map((name) => ['f', fields[name]])),
      });
    const out = new ByteWriter(2_000_000);
    schema('text').encode({ f: text }, out);
    expect(() => schema('json').check(out.buffer, 0, out.length)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringMatching(reason), details: { path: 'f' } }),
    );
  });

  it('takes JSON as deep as it may be, and brackets in its texts', () => {
    const schema = compileSchema(1, 1, { name: 's', key: 'text', fields: { json: { type: 'json' } } });
    let value: JsonValue = ['[[{{'.repeat(100), String.raw`\"[[`.repeat(100)];
    for (let depth = 1; depth < 64; depth++) value = depth % 2 === 0 ? [value] : { value };
    const out = new ByteWriter(100_000);
    schema.encode({ json: value }, out);
    schema.check(out.buffer, 0, out.length);
    expect(schema.decode(out.buffer, 0, out.length)).toEqual({ json: value });
  });

  const optionalBool = compileSchema(1, 1, {
    name: 's',
    key: 'text',
    fields: { b: fieldOf('bool', { optional: true }) },
  });
  const text = compileSchema(1, 1, { name: 's', key: 'text', fields: { t: { type: 'text', maxBytes: 2 } } });
  const texts = compileSchema(1, 1, {
    name: 's',
    key: 'text',
    fields: { t: { type: 'text', array: true, maxItems: 1 } },
  });

  const bytesOrNull = compileSchema(1, 1, {
    name: 's',
    key: 'text',
    fields: { n: { type: 'u8', array: true, nullItems: true, maxItems: 3 } },
  });
  const textsOrNull = compileSchema(1, 1, {
    name: 's',
    key: 'text',
    fields: { t: { type: 'text', array: true, nullItems: true } },
  });
  const threeOrNull = compileSchema(1, 1, {
    name: 's',
    key: 'text',
    fields: { n: { type: 'u8', array: 3, nullItems: true } },
  });

  it.each<[string, CompiledSchema, number[], string]>([
    ['a list with more items than it counts', bytesOrNull, [1, 10, 0, 1, 0, 0, 0, 0, 1, 2], 'MALFORMED'],
    ['a list with fewer items than it counts', bytesOrNull, [1, 9, 0, 2, 0, 0, 0, 0, 1], 'MALFORMED'],
    ['a list that counts too many', bytesOrNull, [1, 8, 0, 4, 0, 0, 0, 0], 'SCHEMA_VIOLATION'],
    ['a list without its count', bytesOrNull, [1, 6, 0, 1, 0, 0], 'MALFORMED'],
    ['a list without its bitmap', bytesOrNull, [1, 7, 0, 1, 0, 0, 0], 'MALFORMED'],
    ['nulls behind the last item', bytesOrNull, [1, 9, 0, 1, 0, 0, 0, 2, 1], 'MALFORMED'],
    ['a null item with a value', bytesOrNull, [1, 9, 0, 1, 0, 0, 0, 1, 1], 'MALFORMED'],
    ['a null item with bytes', textsOrNull, [1, 13, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 65], 'MALFORMED'],
    ['nulls behind the last of three', threeOrNull, [1, 8, 0, 0, 0], 'MALFORMED'],
    ['a null of three with a value', threeOrNull, [1, 2, 0, 9, 0], 'MALFORMED'],
    ['nothing', text, [], 'MALFORMED'],
    ['a newer revision', text, [2, 0, 0], 'NOT_READY'],
    ['a missing required field', text, [0], 'SCHEMA_VIOLATION'],
    ['a null with a value', optionalBool, [1, 1, 1], 'MALFORMED'],
    ['nulls of no field', optionalBool, [1, 2, 1], 'MALFORMED'],
    ['a bool of 2', optionalBool, [1, 0, 2], 'MALFORMED'],
    ['bytes behind the last field', optionalBool, [1, 0, 1, 0], 'MALFORMED'],
    ['an end before the beginning', text, [1, 2, 0], 'MALFORMED'],
    ['an end beyond the body', text, [1, 5, 0, 65], 'MALFORMED'],
    ['an end before that of the body', text, [1, 4, 0, 65, 65], 'MALFORMED'],
    ['a text that is not UTF-8', text, [1, 4, 0, 0xff], 'MALFORMED'],
    ['too long a text', text, [1, 6, 0, 65, 65, 65], 'SCHEMA_VIOLATION'],
    ['an item without its length', texts, [1, 5, 0, 1, 0], 'MALFORMED'],
    ['an item beyond its array', texts, [1, 8, 0, 2, 0, 0, 0, 65], 'MALFORMED'],
    ['too many items', texts, [1, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'SCHEMA_VIOLATION'],
  ])('refuses %s', (_, schema, bytes, code) => {
    expect(() => schema.check(Uint8Array.from(bytes), 0, bytes.length)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, CompiledSchema, number[]]>([
    ['a text', texts, [1, 8, 0, 2, 0, 0, 0, 65]],
    [
      'a number',
      compileSchema(1, 1, { name: 's', key: 'text', fields: { n: fieldOf('i32', { array: true }) } }),
      [1, 6, 0, 1, 0, 0],
    ],
  ])('refuses %s in an array that would end behind the body, whatever follows there', (_, schema, body) => {
    const bytes = Uint8Array.from([...body, 65, 65, 65, 65]);
    expect(() => schema.check(bytes, 0, body.length)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('refuses a range beyond the bytes', () => {
    expect(() => text.check(new Uint8Array(4), 2, 3)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
