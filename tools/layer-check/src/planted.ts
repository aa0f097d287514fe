/**
 * A checker that has gone blind reports success. So each check is also run on a small tree with one violation of each
 * kind, and must find every one of them.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findForbiddenArrows } from './arrows.ts';
import { checkImports } from './imports.ts';
import type { LayerTable } from './layer-table.ts';
import { checkReferences } from './references.ts';
import { readWorkspace } from './workspace.ts';

/** Files of the planted tree: each import breaks the rule that the comment behind it names. */
const SOURCES: Readonly<Record<string, string>> = {
  'libs/kernel/src/index.ts': `import '@niobe/cells'; // layer-kernel`,
  'libs/cells/src/index.ts': `import type { Stats } from 'node:fs'; // io-cells\nexport type Size = Stats;`,
  'libs/store/src/index.ts': `import 'kafkajs'; // npm-store`,
  'libs/store/src/log.ts': `import '../../cells/src/hidden.ts'; // one-door`,
  'libs/store/src/log.test.ts': `import '../../../apps/ingest/src/main.ts'; // layer-store-tests`,
  'libs/grid/src/index.ts': `await using lock = (await import('kafkajs')).default; // npm-grid`,
  'libs/cells/src/hidden.ts': `import './nowhere.ts'; // unresolved`,
  'apps/ingest/src/main.ts': `import '@niobe/testing'; // layer-apps`,
  'libs/testing/src/index.ts': `export {};`,
};

const MANIFESTS: Readonly<Record<string, readonly string[]>> = {
  'libs/kernel': ['@niobe/cells'],
  'libs/cells': ['zod'],
  'libs/store': [],
  'libs/grid': [],
  'libs/testing': [],
  'apps/ingest': ['@niobe/testing'],
};

const FORBIDDEN_ARROWS = ['libs/kernel', 'libs/cells', 'apps/ingest'];

/** Returns one line for each planted violation that was not found. */
export async function findBlindSpots(rootDir: string, table: LayerTable): Promise<string[]> {
  const treeDir = mkdtempSync(join(tmpdir(), 'niobe-planted-'));
  try {
    plant(rootDir, treeDir);
    return [...unseenArrows(treeDir, table), ...unseenReferences(treeDir), ...(await unseenImports(rootDir, treeDir))];
  } finally {
    rmSync(treeDir, { recursive: true, force: true });
  }
}

function plant(rootDir: string, treeDir: string): void {
  for (const [path, text] of Object.entries(SOURCES)) write(join(treeDir, path), text);
  for (const [path, names] of Object.entries(MANIFESTS)) {
    const [kind, folder] = path.split('/') as [string, string];
    write(join(treeDir, path, 'package.json'), JSON.stringify(manifest(kind, folder, names)));
    write(join(treeDir, path, 'tsconfig.json'), JSON.stringify({ references: [{ path: '../../libs/nowhere' }] }));
    link(join(treeDir, path), join(treeDir, 'node_modules/@niobe', folder));
  }
  link(join(rootDir, 'node_modules/kafkajs'), join(treeDir, 'node_modules/kafkajs'));
}

function manifest(kind: string, folder: string, names: readonly string[]): object {
  return {
    name: `@niobe/${folder}`,
    exports: { '.': { '@niobe/source': './src/index.ts' } },
    dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
    nx: { tags: [`layer:${kind === 'libs' ? folder : kind}`] },
  };
}

function unseenArrows(treeDir: string, table: LayerTable): string[] {
  const lines = findForbiddenArrows(readWorkspace(treeDir), table);
  return FORBIDDEN_ARROWS.filter((path) => !lines.some((line) => line.startsWith(`${path}/`))).map(
    (path) => `the forbidden dependency planted in ${path}/package.json was not found`,
  );
}

function unseenReferences(treeDir: string): string[] {
  const lines = checkReferences(treeDir, readWorkspace(treeDir), false);
  const unseen = Object.keys(MANIFESTS).filter(
    (path) => !lines.some((line) => line.startsWith(`${path}/tsconfig.json`)),
  );
  return unseen.map((path) => `the wrong reference planted in ${path}/tsconfig.json was not found`);
}

async function unseenImports(rootDir: string, treeDir: string): Promise<string[]> {
  const { forbidden } = await checkImports(rootDir, treeDir);
  return Object.entries(SOURCES).flatMap(([path, text]) => {
    const rule = /\/\/ ([\w-]+)/.exec(text)?.[1];
    const found = rule === undefined || forbidden.some((one) => one.from === path && one.rule === rule);
    return found ? [] : [`the import planted in ${path} did not break the rule ${rule}`];
  });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'dir');
}
