import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { WorkspacePackage } from './workspace.ts';

interface Project {
  references?: { path: string }[];
}

/**
 * Compares the `references` of every tsconfig with the siblings its `package.json` names, so that `tsc -b` builds in the
 * right order; one line for each file that differs. With `write` it corrects the files instead.
 */
export function checkReferences(rootDir: string, packages: readonly WorkspacePackage[], write: boolean): string[] {
  const withProject = packages.filter(({ path }) => existsSync(join(rootDir, path, 'tsconfig.json')));
  const pathByName = new Map(withProject.map(({ name, path }) => [name, path]));
  const wanted = new Map([['tsconfig.json', withProject.map(({ path }) => `./${path}`)]]);
  for (const one of withProject) {
    const shipped = siblings(one.path, one.dependencies, pathByName);
    const tested = siblings(one.path, one.devDependencies, pathByName).filter((path) => !shipped.includes(path));
    wanted.set(`${one.path}/tsconfig.json`, shipped);
    wanted.set(`${one.path}/tsconfig.test.json`, ['./tsconfig.json', ...shipped, ...tested]);
  }
  return [...wanted].flatMap(([file, paths]) => checkFile(rootDir, file, paths, write));
}

function siblings(from: string, names: readonly string[], pathByName: ReadonlyMap<string, string>): string[] {
  return names.flatMap((name) => {
    const path = pathByName.get(name);
    return path === undefined ? [] : [posix.relative(from, path)];
  });
}

function checkFile(rootDir: string, file: string, wanted: readonly string[], write: boolean): string[] {
  const path = join(rootDir, file);
  if (!existsSync(path)) return [`${file}: is missing`];
  const project = JSON.parse(readFileSync(path, 'utf8')) as Project;
  const found = (project.references ?? []).map((reference) => reference.path);
  // `../kernel` and `../../libs/kernel` are the same project.
  const sorted = (paths: readonly string[]): string =>
    paths
      .map((reference) => posix.join(posix.dirname(file), reference))
      .toSorted()
      .join(', ');
  if (sorted(found) === sorted(wanted)) return [];
  if (!write) {
    return [`${file}: references are ${sorted(found) || 'none'}, package.json asks for ${sorted(wanted) || 'none'}`];
  }
  project.references = wanted.map((reference) => ({ path: reference }));
  writeFileSync(path, `${JSON.stringify(project, null, 2)}\n`);
  return [];
}
