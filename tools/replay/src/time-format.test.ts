import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileTimeFormat } from './time-format.ts';

describe('compileTimeFormat', () => {
  it('reads back every moment written in its pattern', () => {
    const read = compileTimeFormat('yyyy/MM/dd HH.mm:ss,SSS');
    const moments = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moments, (moment) => {
        const iso = moment.toISOString();
        const [date, time] = iso.slice(0, -1).split('T') as [string, string];
        const text = `${date.replaceAll('-', '/')} ${time.replace(':', '.').replace(/\.(\d{3})$/, ',$1')}`;
        expect(read(text)).toBe(iso);
      }),
    );
  });

  it.each([
    ['iso', '2011-12-09T12:50:00+01:00', '2011-12-09T11:50:00.000Z'],
    ['epoch-s', '1289241911', '2010-11-08T18:45:11.000Z'],
    ['epoch-ms', '-1', '1969-12-31T23:59:59.999Z'],
    ['dd.MM.yyyy', '09.12.2011', '2011-12-09T00:00:00.000Z'],
  ])('reads %s', (format, text, iso) => {
    expect(compileTimeFormat(format)(text)).toBe(iso);
  });

  it.each([
    ['iso', 'yesterday'],
    ['epoch-s', '1.5'],
    ['epoch-ms', '99999999999999999'],
    ['yyyy-MM-dd', '2011-02-29'],
    ['yyyy-MM-dd', '2011-1-1'],
    ['yyyy-MM-dd HH:mm', '2011-01-01 24:00'],
  ])('refuses as %s: %s', (format, text) => {
    expect(compileTimeFormat(format)(text)).toBeNull();
  });

  it('refuses a pattern without a year', () => {
    expect(() => compileTimeFormat('HH:mm')).toThrow('has no yyyy');
  });
});
