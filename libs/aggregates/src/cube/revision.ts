import { createHash } from 'node:crypto';
import type { CubeDeclaration } from './cube-declaration.ts';

const REVISION_DIGITS = 16;

/**
 * The identity of what a cube counts: a SHA-256 prefix over its definition and over the types of the columns it uses, written
 * canonically. Order of sets, of dimensions and of measures counts; order and spelling of the JSON file does not.
 *
 * @param columns name and type of every column used, such as `price:decimal(3)`, in any order.
 */
export function revisionOf(cube: CubeDeclaration, columns: readonly string[]): string {
  const canonical = JSON.stringify([
    cube.name,
    cube.on.toSorted(),
    cube.by,
    cube.window,
    Object.entries(cube.measures).map(([name, measure]) => [name, measure]),
    cube.keep,
    cube.graceMs,
    columns.toSorted(),
  ]);
  return createHash('sha256').update(canonical).digest('hex').slice(0, REVISION_DIGITS);
}
