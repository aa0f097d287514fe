import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.ts';
import { isNiobeError } from './errors.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return isNiobeError(error) ? error.code : String(error);
  }
  return 'no error';
};

describe('ByteWriter and ByteReader', () => {
  it('round-trips every kind of value', () => {
    const values = fc.record({
      u8: fc.nat(0xff),
      u16: fc.nat(0xffff),
      u32: fc.nat(0xffffffff),
      i32: fc.integer(),
      f64: fc.double(),
      u53: fc.maxSafeNat(),
      text: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
      block: fc.uint8Array({ maxLength: 5_000 }),
    });
    fc.assert(
      fc.property(values, (v) => {
        const writer = new ByteWriter(1 << 20, 1);
        writer.u8(v.u8);
        writer.u16(v.u16);
        writer.u32(v.u32);
        writer.i32(v.i32);
        writer.f64(v.f64);
        writer.u53(v.u53);
        writer.text(v.text);
        writer.block(v.block);
        const reader = new ByteReader(writer.finish());
        const back = {
          u8: reader.u8(),
          u16: reader.u16(),
          u32: reader.u32(),
          i32: reader.i32(),
          f64: reader.f64(),
          u53: reader.u53(),
          text: reader.text(),
          block: Uint8Array.from(reader.block()),
        };
        reader.end();
        expect(back).toEqual(v);
      }),
    );
  });

  it('refuses to grow past its bound and keeps what it had', () => {
    const writer = new ByteWriter(300);
    writer.raw(new Uint8Array(290).fill(7));
    expect(codeOf(() => writer.raw(new Uint8Array(11)))).toBe('TOO_LARGE');
    expect(writer.length).toBe(290);
    writer.raw(new Uint8Array(10));
    expect(writer.length).toBe(300);
  });

  it('never reads past the end: only MALFORMED comes out of random bytes', () => {
    const reads = fc.array(fc.constantFrom('u8', 'u16', 'u32', 'i32', 'f64', 'u53', 'text', 'block'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), reads, (bytes, kinds) => {
        const reader = new ByteReader(bytes);
        const code = codeOf(() => {
          for (const kind of kinds) reader[kind as 'u8']();
        });
        expect(['no error', 'MALFORMED']).toContain(code);
        expect(reader.at).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it('patches, truncates and notices bytes that are left over', () => {
    const writer = new ByteWriter(100);
    writer.u32(0);
    writer.u8(1);
    writer.patchU32(0, 42);
    expect(new ByteReader(writer.peek()).u32()).toBe(42);
    expect(codeOf(() => new ByteReader(writer.peek(), 4, 5).end())).toBe('MALFORMED');
    writer.truncate(4);
    expect(writer.length).toBe(4);
  });
});
