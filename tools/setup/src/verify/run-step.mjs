import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { rootDir } from '../paths.mjs';
import { readJestResults } from './jest-results.mjs';

/** Exit code of a process that was ended by SIGTERM, as shells give it. */
const TERMINATED = 143;

/**
 * Runs one step, showing its output as it comes.
 * @returns `{ name, passed, failed, skipped, tookMs }`, where `skipped` holds one reason for each skipped test.
 */
export async function runStep(step, resultsDir) {
  console.log(`\n==> ${step.name}: ${step.what}`);
  const begunMs = performance.now();
  const resultsFile = join(resultsDir, `${step.name}.json`);
  const args = step.jest ? [...step.args, '--json', `--outputFile=${resultsFile}`, '--passWithNoTests'] : step.args;
  const failure = await runCommand(step, args);
  const tookMs = performance.now() - begunMs;
  if (failure) console.log(`${step.name}: ${failure}`);
  const counts = step.jest ? readJestResults(resultsFile, failure) : countAsOne(failure);
  return { name: step.name, ...counts, tookMs };
}

function countAsOne(failure) {
  return { passed: failure ? 0 : 1, failed: failure ? 1 : 0, skipped: [] };
}

/** Runs a command to its end; returns null if it went well, else what happened. */
function runCommand({ command, env, timeoutMs }, args) {
  return new Promise((done) => {
    // Jest prints its results twice with --json: for people to standard error, for machines to standard output.
    const stdio = ['ignore', args.includes('--json') ? 'ignore' : 'inherit', 'inherit'];
    const child = spawn(command, args, { cwd: rootDir, env: { ...process.env, ...env }, stdio });
    const stop = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const endAll = () => {
      child.kill('SIGTERM');
      process.exit(TERMINATED);
    };
    process.once('SIGTERM', endAll);
    const finish = (failure) => {
      clearTimeout(stop);
      process.off('SIGTERM', endAll);
      done(failure);
    };
    child.on('error', (error) => finish(`cannot start ${command}: ${error.message}`));
    child.on('exit', (code, signal) => finish(outcome(code, signal, timeoutMs)));
  });
}

function outcome(code, signal, timeoutMs) {
  if (code === 0) return null;
  if (signal === 'SIGKILL') return `killed; a step may take ${timeoutMs / 1000} s`;
  return signal ? `ended by ${signal}` : `ended with exit code ${code}`;
}
