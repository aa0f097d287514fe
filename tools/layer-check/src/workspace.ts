import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layerOf } from './layer-table.ts';

const KINDS = ['libs', 'apps', 'tools'];

/** One package of the repository. */
export interface WorkspacePackage {
  /** `libs/store`. */
  readonly path: string;
  /** `@niobe/store`. */
  readonly name: string;
  readonly layer: string;
  /** The layer it claims by its Nx tag. */
  readonly tag: string | null;
  /** Names of what it needs to run. */
  readonly dependencies: readonly string[];
  /** Names of what its tests need. */
  readonly devDependencies: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

/** Reads the `package.json` of every library, app and tool below `rootDir`. */
export function readWorkspace(rootDir: string): WorkspacePackage[] {
  return KINDS.filter((kind) => existsSync(join(rootDir, kind))).flatMap((kind) =>
    readdirSync(join(rootDir, kind))
      .filter((folder) => existsSync(join(rootDir, kind, folder, 'package.json')))
      .map((folder) => readPackage(rootDir, kind, folder)),
  );
}

function readPackage(rootDir: string, kind: string, folder: string): WorkspacePackage {
  const path = `${kind}/${folder}`;
  const manifest = JSON.parse(readFileSync(join(rootDir, path, 'package.json'), 'utf8')) as Manifest;
  const tag = manifest.nx?.tags?.find((name) => name.startsWith('layer:'));
  return {
    path,
    name: manifest.name,
    layer: layerOf(kind, folder),
    tag: tag?.slice('layer:'.length) ?? null,
    dependencies: Object.keys(manifest.dependencies ?? {}),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
  };
}
