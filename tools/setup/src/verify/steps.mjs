import { existsSync, readdirSync } from 'node:fs';
import { inRoot } from '../paths.mjs';

const JEST_OPTIONS = '--experimental-vm-modules --conditions=@niobe/source --no-warnings';
const MINUTE_MS = 60_000;

/**
 * The steps in order. `command` runs from the root, with node_modules/.bin on PATH. A step with `jest` is counted by its
 * tests, the others count as one each.
 */
export const steps = [
  check('format', 'every file is formatted by Prettier', 'prettier', '--check', '--log-level=warn', '.'),
  check('types', 'the sources compile', 'tsc', '-b'),
  check('test-types', 'the tests compile', 'tsc', '-b', ...testProjects()),
  // After the compiler: what the typed rules know of other packages is in their built declarations.
  check('lint', 'oxlint with typed rules', 'oxlint', '--format=unix', '.'),
  check('layers', 'package.json files and imports keep to layers.json', 'node', 'tools/layer-check/src/main.ts'),
  check('unused', 'no unused file, export or dependency (knip)', 'knip', '--no-progress', '--no-config-hints'),
  jest('unit', 'unit and simulation tests', 'jest.config.mjs'),
  jest('integration', 'tests against real brokers and processes', 'jest.integration.config.mjs'),
];

function check(name, what, command, ...args) {
  return { name, what, command, args, env: {}, timeoutMs: 5 * MINUTE_MS };
}

function jest(name, what, config) {
  return {
    name,
    what,
    command: 'jest',
    args: ['--config', config],
    env: { NODE_OPTIONS: JEST_OPTIONS },
    timeoutMs: 15 * MINUTE_MS,
    jest: true,
  };
}

function testProjects() {
  const kinds = ['libs', 'apps', 'tools'];
  const folders = kinds.flatMap((kind) => readdirSync(inRoot(kind)).map((name) => `${kind}/${name}`));
  return folders.map((folder) => `${folder}/tsconfig.test.json`).filter((file) => existsSync(inRoot(file)));
}
