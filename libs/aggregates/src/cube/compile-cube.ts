import { KEY_BYTES_MAX, type FieldDeclaration, type SchemaDeclaration } from '@niobe/cells';
import type { EventFieldDeclaration, EventType } from '@niobe/events';
import { NiobeError } from '@niobe/kernel';
import { readCubeDeclaration, type CubeDeclaration, type DeclarationProblem } from './cube-declaration.ts';
import type { MeasureDeclaration } from './cube-declaration.ts';
import { PANE_FIELD, schemaNameOf, type Cube, type Dimension, type DimensionSet, type Measure } from './cube.ts';
import { dimensionOf, isDimension, isOrdered, isSummable, typeText } from './column.ts';
import { parseDurationMs } from './duration.ts';
import { longestKeyBytes } from './group-key.ts';
import { revisionOf } from './revision.ts';
import { WINDOW_MS } from './window.ts';

/**
 * Cubes meet the event types: every named type and field must exist and fit its use. Problems of all cubes are told at once.
 *
 * A column may be missing in some of a cube's event types: there the dimension is null and the measure has nothing to add. Where it
 * is declared more than once its type must be the same.
 */

/** A declaration as it was read: file name and parsed JSON. */
export interface CubeFile {
  readonly file: string;
  readonly declaration: unknown;
}

/** Compiles every declared cube. Throws `BAD_DECLARATION` listing all problems, each with file and path. */
export function compileCubes(files: readonly CubeFile[], eventTypes: readonly EventType[]): Cube[] {
  const problems: DeclarationProblem[] = [];
  const cubes: Cube[] = [];
  const fileOf = new Map<string, string>();
  for (const { file, declaration } of files) {
    const read = readCubeDeclaration(declaration, file);
    if (Array.isArray(read)) {
      problems.push(...read);
      continue;
    }
    const other = fileOf.get(read.name);
    if (other !== undefined)
      problems.push({ path: `${file}.name`, message: `"${read.name}" is declared in ${other} too` });
    fileOf.set(read.name, file);
    const compiled = new CubeCompiler(read, eventTypes, file).compile(problems);
    if (compiled !== null) cubes.push(compiled);
  }
  if (problems.length > 0) throw refusal(problems);
  return cubes;
}

/** The same cube counted anew from the start of its topics: generation 1 is the first. Gives it sources and schemas of its own. */
export function withGeneration(cube: Cube, generation: number): Cube {
  const base = cube.revision.split('-')[0]!;
  const revision = generation === 1 ? base : `${base}-${generation}`;
  const sets = cube.sets.map((set) => ({
    ...set,
    schema: { ...set.schema, name: schemaNameOf(cube.name, revision, set.index) },
  }));
  return { ...cube, revision, sets };
}

function refusal(problems: readonly DeclarationProblem[]): NiobeError {
  const lines = problems.map(({ path, message }) => `${path}: ${message}`);
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  return new NiobeError('BAD_DECLARATION', `${count} in the cubes\n  ${lines.join('\n  ')}`, { problems: lines });
}

/** Compiles one cube; every problem is noted and compilation goes on to find the others. */
class CubeCompiler {
  readonly #declaration: CubeDeclaration;
  readonly #file: string;
  readonly #eventTypes: readonly EventType[];
  readonly #known: readonly EventType[];
  readonly #columns = new Map<string, EventFieldDeclaration>();
  #problems: DeclarationProblem[] = [];

  constructor(declaration: CubeDeclaration, known: readonly EventType[], file: string) {
    this.#declaration = declaration;
    this.#file = file;
    this.#known = known;
    this.#eventTypes = known.filter((type) => declaration.on.includes(type.name));
  }

  compile(problems: DeclarationProblem[]): Cube | null {
    const before = problems.length;
    this.#problems = problems;
    const { name, on, by, window, measures, keep, graceMs } = this.#declaration;
    on.forEach((type, index) => this.#checkEventType(type, index));
    const compiledMeasures = Object.entries(measures).map(([measure, what]) => this.#measure(measure, what));
    const dimensions = by.map((set, index) =>
      set.map((dimension, place) => this.#dimension(dimension, `by[${index}][${place}]`)),
    );
    if (problems.length > before) return null;
    const columns = [...this.#columns].map(([column, field]) => `${column}:${typeText(field)}`);
    const revision = revisionOf(this.#declaration, columns);
    const sets = dimensions.map((set, index) =>
      this.#set(revision, index, set as Dimension[], compiledMeasures as Measure[]),
    );
    if (problems.length > before) return null;
    return {
      name,
      revision,
      declaration: this.#declaration,
      windowMs: WINDOW_MS[window],
      keepMs: keep === 'forever' ? Number.POSITIVE_INFINITY : parseDurationMs(keep)!,
      graceMs,
      eventTypes: this.#eventTypes,
      topics: [...new Set(this.#eventTypes.map(({ topic }) => topic))],
      measures: compiledMeasures as Measure[],
      sets,
    };
  }

  #problem(path: string, message: string): null {
    this.#problems.push({ path: `${this.#file}.${path}`, message });
    return null;
  }

  #checkEventType(type: string, index: number): void {
    if (this.#known.some(({ name }) => name === type)) return;
    const possible = this.#known.map(({ name }) => name).join(', ');
    this.#problem(`on[${index}]`, `no event type "${type}" is declared; there are ${possible}`);
  }

  /** The one declaration of a column in all event types of the cube. */
  #column(name: string, path: string): EventFieldDeclaration | null {
    let found: EventFieldDeclaration | null = null;
    for (const type of this.#eventTypes) {
      const field = type.field(name)?.declaration;
      if (field === undefined) continue;
      if (found !== null && typeText(found) !== typeText(field))
        return this.#problem(
          path,
          `"${name}" is ${typeText(found)} in one event type and ${typeText(field)} in ${type.name}`,
        );
      found = field;
    }
    if (found === null)
      return this.#problem(path, `no event type of this cube has a field "${name}"; there are ${this.#fieldNames()}`);
    this.#columns.set(name, found);
    return found;
  }

  #fieldNames(): string {
    return [...new Set(this.#eventTypes.flatMap(({ fields }) => fields.map(({ name }) => name)))].join(', ');
  }

  #dimension(name: string, path: string): Dimension | null {
    const field = this.#column(name, path);
    if (field === null) return null;
    if (!isDimension(field)) return this.#problem(path, `"${name}" is ${typeText(field)}, which cannot group events`);
    return dimensionOf(name, field);
  }

  #measure(name: string, declaration: MeasureDeclaration): Measure | null {
    const path = `measures.${name}`;
    if (declaration === 'count')
      return { name, kind: 'count', columns: [], scale: 0, isDecimal: false, field: { type: 'u64', merge: 'add' } };
    if ('sum' in declaration) return this.#sum(name, [declaration.sum].flat() as string[], path);
    const kind = 'min' in declaration ? 'min' : 'max';
    const column = 'min' in declaration ? declaration.min : declaration.max;
    return this.#extreme(name, kind, column, path);
  }

  #sum(name: string, columns: readonly string[], path: string): Measure | null {
    let scale = 0;
    let isDecimal = false;
    for (const column of columns) {
      const field = this.#column(column, `${path}.sum`);
      if (field === null) return null;
      if (!isSummable(field))
        return this.#problem(`${path}.sum`, `"${column}" is ${typeText(field)}; exact sums need integers or decimals`);
      scale += field.scale ?? 0;
      isDecimal ||= field.type === 'decimal';
    }
    return { name, kind: 'sum', columns, scale, isDecimal, field: { type: 'i128', optional: true, merge: 'add' } };
  }

  #extreme(name: string, kind: 'min' | 'max', column: string, path: string): Measure | null {
    const field = this.#column(column, `${path}.${kind}`);
    if (field === null) return null;
    if (!isOrdered(field))
      return this.#problem(`${path}.${kind}`, `"${column}" is ${typeText(field)}, which has no ${kind}`);
    const scale = field.scale ?? 0;
    const type = field.type as FieldDeclaration['type'];
    const cell: FieldDeclaration = { type, optional: true, merge: kind };
    return {
      name,
      kind,
      columns: [column],
      scale,
      isDecimal: type === 'decimal',
      field: type === 'decimal' ? { ...cell, scale } : cell,
    };
  }

  #set(revision: string, index: number, dimensions: readonly Dimension[], measures: readonly Measure[]): DimensionSet {
    const keyBytes = longestKeyBytes(dimensions);
    if (keyBytes > KEY_BYTES_MAX) {
      const texts = dimensions.map(({ name, textBytesMax }) => `${name} ${textBytesMax}`).join(', ');
      this.#problem(
        `by[${index}]`,
        `its longest key takes ${keyBytes} of ${KEY_BYTES_MAX} bytes (${texts}); declare a smaller maxBytes for the texts`,
      );
    }
    const fields: Record<string, FieldDeclaration> = { [PANE_FIELD]: { type: 'timestamp', merge: 'keep' } };
    for (const { name, field } of dimensions) fields[name] = field;
    for (const { name, field } of measures) fields[name] = field;
    const schema: SchemaDeclaration = {
      name: schemaNameOf(this.#declaration.name, revision, index),
      key: 'text',
      fields,
    };
    return { index, dimensions, schema };
  }
}
