import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.ts';

describe('readOptions', () => {
  it('starts the shop with real brokers where there are any', () => {
    expect(readOptions([])).toEqual({
      fresh: false,
      brokers: 'auto',
      clicks: true,
      clicksPerSecond: 500,
      deployment: 'shop',
      rebuildCubes: [],
      portBase: 7700,
    });
  });

  it('takes every option', () => {
    const args = [
      '--fresh',
      '--brokers=real',
      '--no-clicks',
      '--rate',
      '9',
      '--deployment',
      'x',
      '--port-base=9000',
      '--rebuild-cube',
      'a',
      '--rebuild-cube=b',
    ];
    expect(readOptions(args)).toEqual({
      fresh: true,
      brokers: 'real',
      clicks: false,
      clicksPerSecond: 9,
      deployment: 'x',
      rebuildCubes: ['a', 'b'],
      portBase: 9000,
    });
    expect(readOptions(['--embedded'])?.brokers).toBe('embedded');
    expect(readOptions(['--help'])).toBeNull();
  });

  it.each([
    [['--rate', '0'], '--rate 0 is not a whole number from 1 to 1000000; see --help'],
    [['--port-base', '65535'], '--port-base 65535 is not a whole number from 1024 to 65470; see --help'],
    [['--brokers=some'], '--brokers=some is none of auto, real, embedded; see --help'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
