import { TEXT_BYTES_DEFAULT, type SchemaDeclaration } from '@niobe/cells';
import type { EventType } from '@niobe/events';
import type { EdgeType } from '@niobe/graph';
import { NiobeError } from '@niobe/kernel';
import {
  readMappingDeclaration,
  type EdgeDeclaration,
  type EventRuleDeclaration,
  type MappingDeclaration,
  type Report,
  type VertexDeclaration,
} from './mapping-declaration.ts';
import type { Assignment, EdgeRule, EventRule, Mapping, ValueSource, VertexRule } from './mapping.ts';
import { revisionOf } from './revision.ts';
import { counterSource, fieldSource, keyProblem } from './value-fit.ts';

/**
 * Mappings meet event types, cells and edge types: whatever is named must exist and fit its use. Problems of all mappings are told at
 * once.
 *
 * A vertex is written as a merge whose delta ends with the last field that is set (vertex-table.ts), so:
 *
 * 1. What comes behind stays as it was. All of the schema's required fields must be set.
 * 2. A field with the operator `replace` that stands before one that is set must be set too, else the merge would empty it.
 */

/** Texts that one event sets in vertices, all together. */
const EVENT_TEXT_BYTES_MAX: number = 256 * 1024;

/** A declaration as it was read: file name and parsed JSON. */
export interface MappingFile {
  readonly file: string;
  readonly declaration: unknown;
}

/** What a deployment declares that mappings can name. */
export interface MappingNames {
  readonly eventTypes: readonly EventType[];
  readonly cells: readonly SchemaDeclaration[];
  readonly edgeTypes: readonly EdgeType[];
}

/** Compiles every declared mapping. Throws `BAD_DECLARATION` listing all problems, each with file and path. */
export function compileMappings(files: readonly MappingFile[], names: MappingNames): Mapping[] {
  const problems: string[] = [];
  const mappings: Mapping[] = [];
  const fileOf = new Map<string, string>();
  for (const { file, declaration } of files) {
    const report: Report = (path, message) => problems.push(`${file}: ${path === '' ? '' : `${path}: `}${message}`);
    const read = readMappingDeclaration(declaration, report);
    if (read === null) continue;
    const other = fileOf.get(read.name);
    if (other !== undefined) report('name', `"${read.name}" is declared in ${other} too`);
    fileOf.set(read.name, file);
    mappings.push(compileMapping(read, names, report));
  }
  if (problems.length > 0) throw refusal(problems);
  return mappings;
}

function refusal(problems: readonly string[]): NiobeError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new NiobeError('BAD_DECLARATION', `${count} in the mappings\n  ${problems.join('\n  ')}`, { problems });
}

function compileMapping(declaration: MappingDeclaration, names: MappingNames, report: Report): Mapping {
  const rules: EventRule[] = [];
  for (const [typeName, rule] of Object.entries(declaration.on)) {
    const type = names.eventTypes.find(({ name }) => name === typeName);
    if (type === undefined)
      report(`on.${typeName}`, `no event type "${typeName}" is declared; there are ${listed(names.eventTypes)}`);
    else rules.push(new RuleCompiler(type, names, `on.${typeName}`, report).compile(rule));
  }
  const topics = [...new Set(rules.map(({ type }) => type.topic))];
  return { name: declaration.name, revision: revisionOf(declaration), topics, rules };
}

/** Compiles what one event type becomes; every problem is reported and compilation goes on to find the others. */
class RuleCompiler {
  readonly #type: EventType;
  readonly #names: MappingNames;
  readonly #path: string;
  readonly #report: Report;
  readonly #vertices: VertexRule[] = [];

  constructor(type: EventType, names: MappingNames, path: string, report: Report) {
    this.#type = type;
    this.#names = names;
    this.#path = path;
    this.#report = report;
  }

  compile({ vertices = [], edges = [] }: EventRuleDeclaration): EventRule {
    vertices.forEach((vertex, index) => this.#vertex(vertex, `${this.#path}.vertices[${index}]`));
    const edgeRules = edges.map((edge, index) => this.#edge(edge, `${this.#path}.edges[${index}]`));
    this.#checkTextBytes();
    return { type: this.#type, vertices: this.#vertices, edges: edgeRules.filter((rule) => rule !== null) };
  }

  #vertex({ schema: schemaName, key, set = {} }: VertexDeclaration, path: string): void {
    const schema = this.#names.cells.find(({ name }) => name === schemaName);
    if (schema === undefined)
      return this.#report(
        `${path}.schema`,
        `no cell schema "${schemaName}" is declared; there are ${listed(this.#names.cells)}`,
      );
    const index = this.#keyIndex(key, schema, `${path}.key`);
    if (index < 0) return;
    if (this.#find(schema, index) >= 0)
      return this.#report(path, `the vertex "${schemaName}" by "${key}" is listed twice; join what is set`);
    const sets = this.#sets(schema, set, `${path}.set`);
    this.#checkSets(schema, sets, path);
    this.#vertices.push({ schema, key: index, sets });
  }

  /** Index of the event field that is the key, or -1. */
  #keyIndex(name: string, schema: SchemaDeclaration, path: string): number {
    const field = this.#type.field(name);
    const problem =
      field === undefined
        ? `${this.#type.name} has no field "${name}"; there are ${listed(this.#type.fields)}`
        : keyProblem(name, field.declaration, schema);
    if (problem === null) return field!.index;
    this.#report(path, problem);
    return -1;
  }

  #find(schema: SchemaDeclaration, key: number): number {
    return this.#vertices.findIndex((vertex) => vertex.schema === schema && vertex.key === key);
  }

  #sets(schema: SchemaDeclaration, set: Readonly<Record<string, string>>, path: string): Assignment[] {
    const fields = Object.keys(schema.fields);
    const sets: Assignment[] = [];
    for (const [name, from] of Object.entries(set)) {
      const field = fields.indexOf(name);
      const value =
        field < 0
          ? `${schema.name} has no field "${name}"; there are ${fields.join(', ') || 'none'}`
          : fieldSource(from, this.#type, schema.fields[name]!);
      if (typeof value === 'string') this.#report(`${path}.${name}`, value);
      else sets.push({ field, value });
    }
    return sets.toSorted((a, b) => a.field - b.field);
  }

  /** See 1 and 2 in the head of this file. */
  #checkSets(schema: SchemaDeclaration, sets: readonly Assignment[], path: string): void {
    const last = sets.at(-1)?.field ?? -1;
    Object.entries(schema.fields).forEach(([name, { optional, merge = 'replace' }], index) => {
      if (sets.some(({ field }) => field === index)) return;
      if (optional !== true)
        this.#report(path, `"${schema.name}" needs "${name}", which is not set here; set it, or declare it optional`);
      else if (index < last && merge === 'replace')
        this.#report(
          path,
          `"${name}" is not set, stands before a field that is, and would be emptied; set it too, or declare it further back`,
        );
    });
  }

  /** One event more must fit a section that is almost full. */
  #checkTextBytes(): void {
    const bytes = this.#vertices.flatMap(({ sets }) => sets.map(({ value }) => textBytes(value, this.#type)));
    const sum = bytes.reduce((total, one) => total + one, 0);
    if (sum > EVENT_TEXT_BYTES_MAX)
      this.#report(
        this.#path,
        `the texts that are set may have ${sum} bytes, more than ${EVENT_TEXT_BYTES_MAX}; declare smaller maxBytes`,
      );
  }

  #edge({ edge: edgeName, from, to, add = {} }: EdgeDeclaration, path: string): EdgeRule | null {
    const edge = this.#names.edgeTypes.find(({ name }) => name === edgeName);
    if (edge === undefined) {
      this.#report(
        `${path}.edge`,
        `no edge type "${edgeName}" is declared; there are ${listed(this.#names.edgeTypes)}`,
      );
      return null;
    }
    const fromEnd = this.#end(edge.from, from, `${path}.from`);
    const toEnd = this.#end(edge.to, to, `${path}.to`);
    const adds = this.#adds(edge, add, `${path}.add`);
    return { edge, from: fromEnd, to: toEnd, adds };
  }

  /** The vertex at an end of an edge, added where the mapping does not list it. */
  #end(schemaName: string, key: string, path: string): number {
    const schema = this.#names.cells.find(({ name }) => name === schemaName);
    // An edge type whose ends are not declared has been refused before any mapping is compiled.
    if (schema === undefined) return -1;
    const index = this.#keyIndex(key, schema, path);
    const known = this.#find(schema, index);
    if (index < 0 || known >= 0) return known;
    this.#checkSets(schema, [], path);
    return this.#vertices.push({ schema, key: index, sets: [] }) - 1;
  }

  #adds(edge: EdgeType, add: Readonly<Record<string, string | number>>, path: string): Assignment[] {
    const adds: Assignment[] = [];
    for (const [name, from] of Object.entries(add)) {
      const field = edge.counters.findIndex((counter) => counter.name === name);
      const value =
        field < 0
          ? `${edge.name} has no counter "${name}"; there are ${listed(edge.counters)}`
          : counterSource(from, this.#type, edge.counters[field]!);
      if (typeof value === 'string') this.#report(`${path}.${name}`, value);
      else adds.push({ field, value });
    }
    return adds;
  }
}

/** Bytes that a text or bytes value takes, at most; 0 for others. */
function textBytes(value: ValueSource, type: EventType): number {
  if (value.kind !== 'field') return 0;
  const field = type.fields[value.index]!.declaration;
  return field.type === 'text' || field.type === 'bytes' ? (field.maxBytes ?? TEXT_BYTES_DEFAULT) : 0;
}

function listed(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(', ') || 'none';
}
