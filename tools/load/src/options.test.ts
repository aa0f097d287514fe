import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.ts';

const GIVEN = ['graph', 'web.txt.gz', '--format', 'snap', '--deployment', 'web'];

describe('the command line', () => {
  it('names file, format and deployment', () => {
    expect(readOptions(GIVEN)).toMatchObject({
      path: 'web.txt.gz',
      format: 'snap',
      deployment: expect.stringMatching(/infra\/deployments\/web$/),
      edge: null,
      nats: 'nats://127.0.0.1:7740',
      skipsBad: false,
    });
    expect(readOptions([...GIVEN, '--edge', 'links', '--skip-bad', '--nats', 'nats://10.0.0.1:1'])).toMatchObject({
      edge: 'links',
      nats: 'nats://10.0.0.1:1',
      skipsBad: true,
    });
    expect(readOptions(['--help'])).toBeNull();
  });

  it.each([
    [[], /say what to load/],
    [['cells'], /cannot load "cells"/],
    [['graph'], /name one file/],
    [['graph', 'a', 'b'], /name one file/],
    [['graph', 'a'], /--format "" is none of snap, csv, graphalytics/],
    [['graph', 'a', '--format', 'gml'], /--format "gml" is none of snap/],
    [['graph', 'a', '--format', 'csv'], /--deployment is missing/],
    [[...GIVEN, '--nats', 'somewhere'], /--nats somewhere is no URL/],
    [[...GIVEN, '--header'], /--header is for csv files/],
    [[...GIVEN, '--fast'], /--fast/],
  ])('says in one line what is wrong: %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringMatching(message) }),
    );
  });
});
