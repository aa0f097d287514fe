import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one layer may depend on. */
export interface Layer {
  /** Layers, by name; a layer may always import itself. */
  readonly imports: readonly string[];
  /** npm packages. */
  readonly npm: readonly string[];
  /** Whether it may use files, sockets and processes. */
  readonly io: boolean;
}

/** `layers.json`. */
export interface LayerTable {
  /** What tests of any layer may import in addition. */
  readonly tests: { readonly imports: readonly string[]; readonly npm: readonly string[] };
  readonly layers: Readonly<Record<string, Layer>>;
}

/** Reads the table of the repository in `rootDir`. */
export function readLayerTable(rootDir: string): LayerTable {
  return JSON.parse(readFileSync(join(rootDir, 'layers.json'), 'utf8')) as LayerTable;
}

/** The layer of a package: its folder for a library, `apps` or `tools` otherwise. */
export function layerOf(kind: string, folder: string): string {
  return kind === 'libs' ? folder : kind;
}
