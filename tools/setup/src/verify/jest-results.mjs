import { existsSync, readFileSync } from 'node:fs';

const REASON = /\[skipped: (.*?)\]/;
const NOT_RUN = new Set(['pending', 'skipped', 'todo', 'disabled']);

/**
 * Counts of one Jest run from the file that it wrote.
 * A test file that cannot be loaded counts as one failure, and so does a run that failed without saying where.
 */
export function readJestResults(file, failure) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: [] };
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && failure ? 1 : failed,
    skipped: skippedReasons(results),
  };
}

/** One line with the number of skipped tests and each reason with its own number. */
export function skippedLine(reasons) {
  const counts = new Map();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} because ${reason}`);
  return parts.length === 0 ? '0 skipped' : `${reasons.length} skipped: ${parts.join('; ')}`;
}

function skippedReasons(results) {
  const tests = results.testResults.flatMap((suite) => suite.assertionResults);
  return tests
    .filter((test) => NOT_RUN.has(test.status))
    .map((test) => REASON.exec(test.fullName)?.[1] ?? `no reason given (${test.fullName})`);
}
