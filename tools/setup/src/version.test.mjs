import { describe, expect, it } from '@jest/globals';
import { atLeast, parseVersion } from './version.mjs';

describe('parseVersion', () => {
  it.each([
    ['nats-server: v2.15.2', [2, 15, 2]],
    ['17.0.15', [17, 0, 15]],
    ['3.9', [3, 9, 0]],
  ])('reads %s', (text, version) => expect(parseVersion(text)).toEqual(version));

  it('gives null where there is none', () => expect(parseVersion('unknown')).toBeNull());
});

describe('atLeast', () => {
  it.each([
    [[2, 12, 0], [2, 12, 0], true],
    [[2, 9, 25], [2, 12, 0], false],
    [[10, 0, 0], [2, 12, 0], true],
    [[17, 0, 15], [17], true],
    [[11, 0, 2], [17], false],
  ])('compares %j with %j', (found, wanted, expected) => expect(atLeast(found, wanted)).toBe(expected));
});
