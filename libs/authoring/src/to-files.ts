import { assert } from '@niobe/kernel';
import type { CellFieldDefinition, CellFields } from './cell-field.ts';
import { isReference, type CellDefinition } from './cell.ts';
import type { CubeDefinition } from './cube.ts';
import type { DeploymentDefinition } from './deployment.ts';
import type { EdgeDefinition } from './edge.ts';
import type { MappingDefinition } from './mapping.ts';

/** A definition as JSON. */
type Json = Readonly<Record<string, unknown>>;

/**
 * The files of a deployment: path in its folder -> JSON. What a definition refers to stands in it by name; everything else is as it was
 * defined. The folder is checked where it is read.
 */
export function toFiles(deployment: DeploymentDefinition): Record<string, Json> {
  const { events = [], cells = [], cubes = [], edges = [], mappings = [], ...rest } = deployment;
  const files: Record<string, Json> = { 'deployment.json': rest };
  for (const event of events) add(files, 'events', event.type, { ...event });
  for (const cell of cells) add(files, 'cells', cell.name, cellJson(cell));
  for (const cube of cubes) add(files, 'cubes', cube.name, cubeJson(cube));
  for (const edge of edges) add(files, 'edges', edge.name, edgeJson(edge));
  for (const mapping of mappings) add(files, 'mappings', mapping.name, mappingJson(mapping));
  return files;
}

function add(files: Record<string, Json>, folder: string, name: string, json: Json): void {
  const path = `${folder}/${encodeURIComponent(name)}.json`;
  assert(!Object.hasOwn(files, path), 'two definitions of a kind have the same name');
  files[path] = json;
}

function cellJson(cell: CellDefinition): Json {
  return { ...cell, fields: fieldsJson(cell.fields) };
}

function fieldsJson(fields: CellFields): Json {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldJson(field)]));
}

function fieldJson(field: CellFieldDefinition): Json {
  if (isReference(field)) return { ...field, schema: field.schema.name };
  return field.type === 'record' ? { ...field, fields: fieldsJson(field.fields) } : { ...field };
}

function cubeJson(cube: CubeDefinition): Json {
  return { ...cube, on: cube.on.map(({ type }) => type) };
}

function edgeJson(edge: EdgeDefinition): Json {
  return { ...edge, from: edge.from.name, to: edge.to.name };
}

function mappingJson({ name, on }: MappingDefinition): Json {
  const byEvent = on.map(({ event, vertices, edges }): [string, Json] => [
    event.type,
    {
      ...(vertices === undefined ? {} : { vertices: vertices.map((part) => ({ ...part, schema: part.schema.name })) }),
      ...(edges === undefined ? {} : { edges: edges.map((part) => ({ ...part, edge: part.edge.name })) }),
    },
  ]);
  return { name, on: Object.fromEntries(byEvent) };
}
