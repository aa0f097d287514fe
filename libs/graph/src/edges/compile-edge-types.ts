import type { SchemaDeclaration } from '@niobe/cells';
import { NiobeError } from '@niobe/kernel';
import { readEdgeDeclaration, type EdgeDeclaration } from './edge-declaration.ts';
import { EdgeType } from './edge-type.ts';

/** A declaration as it was read: file name and parsed JSON. */
export interface EdgeFile {
  readonly file: string;
  readonly declaration: unknown;
}

/**
 * Compiles every declared edge type. Both ends must name cell schemas with a key, the vertices. Throws `BAD_DECLARATION` listing all
 * problems, each with file and path.
 */
export function compileEdgeTypes(files: readonly EdgeFile[], cells: readonly SchemaDeclaration[]): EdgeType[] {
  const problems: string[] = [];
  const types: EdgeType[] = [];
  const fileOf = new Map<string, string>();
  for (const { file, declaration } of files) {
    const found: string[] = [];
    const edge = readEdgeDeclaration(declaration, found);
    if (edge !== null) {
      const other = fileOf.get(edge.name);
      if (other !== undefined) found.push(`name: "${edge.name}" is declared in ${other} too`);
      fileOf.set(edge.name, file);
      types.push(checkAgainstCells(new EdgeType(edge), edge, cells, found));
    }
    problems.push(...found.map((problem) => `${file}: ${problem}`));
  }
  if (problems.length > 0) throw refusal(problems);
  return types;
}

function checkAgainstCells(
  type: EdgeType,
  { from, to }: EdgeDeclaration,
  cells: readonly SchemaDeclaration[],
  problems: string[],
): EdgeType {
  checkVertex('from', from, cells, problems);
  checkVertex('to', to, cells, problems);
  for (const { name } of type.schemas)
    if (cells.some((cell) => cell.name === name))
      problems.push(`name: cells of "${name}" are declared, a name that this edge type needs for its own; rename one`);
  return type;
}

function checkVertex(path: string, name: string, cells: readonly SchemaDeclaration[], problems: string[]): void {
  const cell = cells.find((declared) => declared.name === name);
  const vertices = cells.filter(isVertex).map((vertex) => vertex.name);
  const names = vertices.join(', ') || 'none';
  if (cell === undefined) problems.push(`${path}: no cell schema "${name}" is declared; there are ${names}`);
  else if (!isVertex(cell))
    problems.push(`${path}: cells of "${name}" have no key of their own; vertices are ${names}`);
}

function isVertex({ key }: SchemaDeclaration): boolean {
  return key === 'text' || key === 'integer';
}

function refusal(problems: readonly string[]): NiobeError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new NiobeError('BAD_DECLARATION', `${count} in the edge types\n  ${problems.join('\n  ')}`, { problems });
}
