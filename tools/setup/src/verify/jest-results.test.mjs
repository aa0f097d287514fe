import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readJestResults, skippedLine } from './jest-results.mjs';

describe('readJestResults', () => {
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'niobe-results-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (results, failure = null) => {
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify({ numRuntimeErrorTestSuites: 0, testResults: [], ...results }));
    return readJestResults(file, failure);
  };

  it('counts a file that cannot be loaded as a failure', () => {
    const counts = read({ numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1 }, 'exit code 1');
    expect(counts).toEqual({ passed: 3, failed: 2, skipped: [] });
  });

  it('does not believe a run that failed without a failed test', () => {
    expect(read({ numPassedTests: 3, numFailedTests: 0 }, 'exit code 1').failed).toBe(1);
  });

  it('counts a run without results as a failure', () => {
    expect(readJestResults(join(folder, 'nothing.json'), null).failed).toBe(1);
  });

  it('takes the reasons of skipped tests from their titles', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a' },
      { status: 'pending', fullName: 'NATS [skipped: no nats-server] restarts' },
      { status: 'todo', fullName: 'later' },
    ];
    const { skipped } = read({ numPassedTests: 1, numFailedTests: 0, testResults: [{ assertionResults }] });
    expect(skipped).toEqual(['no nats-server', 'no reason given (later)']);
  });
});

describe('skippedLine', () => {
  it('gives the number of each reason', () => {
    expect(skippedLine(['no Kafka', 'no NATS', 'no Kafka'])).toBe('3 skipped: 2 because no Kafka; 1 because no NATS');
    expect(skippedLine([])).toBe('0 skipped');
  });
});
