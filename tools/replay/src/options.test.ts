import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readOptions, REPOSITORY } from './options.ts';

describe('readOptions', () => {
  it('sends to the local collector as fast as it takes', () => {
    expect(readOptions(['sales.csv', '--deployment', 'retail'])).toEqual({
      file: 'sales.csv',
      deployment: join(REPOSITORY, 'infra/deployments/retail'),
      to: 'collector',
      url: 'http://127.0.0.1:7700',
      brokers: ['127.0.0.1:7750'],
      ratePerSecond: Number.POSITIVE_INFINITY,
      restart: false,
    });
  });

  it('takes a deployment by path, and every other option', () => {
    const args = [
      'x.csv.gz',
      '--deployment',
      '/somewhere/mine',
      '--to=kafka',
      '--brokers',
      'a:1,b:2',
      '--rate=0.5',
      '--restart',
    ];
    expect(readOptions(args)).toMatchObject({
      deployment: '/somewhere/mine',
      to: 'kafka',
      brokers: ['a:1', 'b:2'],
      ratePerSecond: 0.5,
      restart: true,
    });
    expect(readOptions(['--help'])).toBeNull();
  });

  it.each([
    [['--deployment', 'x'], 'name one CSV file; see --help'],
    [['a', 'b', '--deployment', 'x'], 'name one CSV file; see --help'],
    [['a'], '--deployment is missing; see --help'],
    [['a', '--deployment', 'x', '--to', 'nats'], '--to nats is neither collector nor kafka; see --help'],
    [['a', '--deployment', 'x', '--rate', '0'], '--rate 0 is not a number above 0; see --help'],
    [['a', '--deployment', 'x', '--url', 'here'], '--url here is no URL; see --help'],
    [['a', '--fast'], "Unknown option '--fast'"],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
