/**
 * Checks that the packages keep to `layers.json`: what their `package.json` files name, what their TypeScript projects
 * refer to, and what their files import.
 *
 *     node tools/layer-check/src/main.ts            prints every fault, exit code 1 if there is one
 *     node tools/layer-check/src/main.ts --write    first corrects the TypeScript references
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { findForbiddenArrows } from './arrows.ts';
import { checkImports } from './imports.ts';
import { readLayerTable } from './layer-table.ts';
import { findBlindSpots } from './planted.ts';
import { checkReferences } from './references.ts';
import { readWorkspace } from './workspace.ts';

const rootDir = resolve(import.meta.dirname, '../../..');
const table = readLayerTable(rootDir);
const packages = readWorkspace(rootDir);

const faults = [
  ...findForbiddenArrows(packages, table),
  ...checkReferences(rootDir, packages, process.argv.includes('--write')),
  ...(await importFaults()),
  ...(await findBlindSpots(rootDir, table)).map((line) => `layer-check has gone blind: ${line}`),
];
for (const fault of faults) console.log(fault);
console.log(`layer-check: ${packages.length} packages, ${faults.length} faults`);
if (faults.length > 0) process.exitCode = 1;

async function importFaults(): Promise<string[]> {
  const { fileCount, forbidden } = await checkImports(rootDir, rootDir);
  const lines = forbidden.map(({ rule, from, to, why }) => `${from}: imports ${to} (${rule}: ${why})`);
  const sourceCount = globSync('{libs,apps,tools}/*/src/**/*.ts', { cwd: rootDir }).length;
  if (fileCount < sourceCount) lines.push(`dependency-cruiser saw ${fileCount} of ${sourceCount} TypeScript files`);
  return lines;
}
