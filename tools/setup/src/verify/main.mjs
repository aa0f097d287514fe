/**
 * Runs everything that decides whether a change is good, in the order in which a fault is cheapest to see.
 *
 *     npm test                    all steps
 *     npm test -- lint unit       only these steps
 *
 * The last line is `N passed, N failed`: the tests of the Jest runs, and one for each other step.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMain, SetupError } from '../setup-error.mjs';
import { skippedLine } from './jest-results.mjs';
import { runStep } from './run-step.mjs';
import { steps } from './steps.mjs';

await runMain(async () => {
  const resultsDir = mkdtempSync(join(tmpdir(), 'niobe-test-'));
  const begunMs = performance.now();
  const results = [];
  try {
    for (const step of chosenSteps(process.argv.slice(2))) results.push(await runStep(step, resultsDir));
  } finally {
    rmSync(resultsDir, { recursive: true, force: true });
  }
  summarise(results, performance.now() - begunMs);
});

function chosenSteps(args) {
  const names = args.filter((arg) => !arg.startsWith('--brokers='));
  const unknown = names.find((name) => !steps.some((step) => step.name === name));
  if (unknown) {
    throw new SetupError(`there is no step ${unknown}; the steps are ${steps.map((step) => step.name).join(', ')}`);
  }
  return names.length === 0 ? steps : steps.filter((step) => names.includes(step.name));
}

function summarise(results, tookMs) {
  const sum = (count) => results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failed);
  console.log('');
  for (const { name, tookMs: stepMs, failed: stepFailed } of results) {
    console.log(`${stepFailed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds(stepMs)}`);
  }
  console.log(`     ${'all'.padEnd(12)} ${seconds(tookMs)}`);
  console.log(skippedLine(results.flatMap((result) => result.skipped)));
  console.log(`${sum((result) => result.passed)} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1).padStart(7)} s`;
}
