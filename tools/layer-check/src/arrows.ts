import type { LayerTable } from './layer-table.ts';
import type { WorkspacePackage } from './workspace.ts';

/** Every dependency in a `package.json` that the table does not allow; one line each. */
export function findForbiddenArrows(packages: readonly WorkspacePackage[], table: LayerTable): string[] {
  const layerByName = new Map(packages.map(({ name, layer }) => [name, layer]));
  return packages.flatMap((one) => [...wrongTag(one, table), ...arrowsOf(one, layerByName, table)]);
}

function wrongTag({ path, layer, tag }: WorkspacePackage, table: LayerTable): string[] {
  if (!table.layers[layer]) return [`${path}: layers.json has no layer ${layer}; add it`];
  if (tag !== layer) return [`${path}/package.json: the Nx tag says layer:${tag ?? '(none)'}, the folder ${layer}`];
  return [];
}

function arrowsOf(one: WorkspacePackage, layerByName: ReadonlyMap<string, string>, table: LayerTable): string[] {
  const layer = table.layers[one.layer];
  if (!layer) return [];
  const shipped = { imports: [...layer.imports], npm: npmOf(one, layer.npm) };
  const tested = {
    imports: [...layer.imports, ...table.tests.imports],
    npm: npmOf(one, [...layer.npm, ...table.tests.npm]),
  };
  return [
    ...forbidden(one, one.dependencies, layerByName, shipped),
    ...forbidden(one, one.devDependencies, layerByName, tested),
  ];
}

/** A tool declares in its own `package.json` what it needs from npm; the table does not limit it. */
function npmOf(one: WorkspacePackage, npm: readonly string[]): readonly string[] | null {
  return one.layer === 'tools' ? null : npm;
}

interface Allowed {
  readonly imports: readonly string[];
  readonly npm: readonly string[] | null;
}

function forbidden(
  one: WorkspacePackage,
  names: readonly string[],
  layerByName: ReadonlyMap<string, string>,
  allowed: Allowed,
): string[] {
  const isAllowed = (name: string): boolean => {
    const layer = layerByName.get(name);
    if (layer === undefined) return allowed.npm?.includes(name) ?? true;
    return allowed.imports.includes(layer);
  };
  return names
    .filter((name) => !isAllowed(name))
    .map((name) => `${one.path}/package.json: layer ${one.layer} may not depend on ${name} (layers.json)`);
}
