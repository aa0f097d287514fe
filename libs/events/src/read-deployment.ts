import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveDeclaration, type KeyType, type SchemaDeclaration } from '@niobe/cells';
import { isNiobeError, messageOf, NiobeError } from '@niobe/kernel';
import { z } from 'zod';
import {
  deploymentSchema,
  type Deployment,
  type DeploymentFile,
  type RawDeclaration,
  type TopicDeclaration,
} from './deployment-declaration.ts';
import { checkReferences, eventTypeSchema, type EventTypeDeclaration, type Report } from './event-declaration.ts';

/**
 * Reads a deployment folder: `deployment.json`, and a file for each declaration in `events`, `cells`, `cubes`, `edges`, `mappings`.
 *
 * Everything that is wrong is said at once, each line with file and path, because a reader who writes a deployment of their own should
 * not have to start ten times. Cubes, edge types and mappings are only read: `@niobe/aggregates`, `@niobe/graph` and `@niobe/loader` know
 * their rules.
 */

/** Bound of one file. */
const FILE_BYTES_LIMIT = 1_048_576;
/** Bound of the files of one folder. */
const FILES_LIMIT = 1024;
/** Names a flat record uses beside its data. */
const FLAT_NAMES: readonly string[] = ['id', 'source', 'type', 'time'];
/** Beginnings of the names of schemas that Niobe makes itself: for its own records, for cubes, for edge types. */
const OWN_SCHEMAS: readonly string[] = ['niobe.', 'cube/', 'edge.'];
/** Keys that a folder may declare; the others are made of cell ids, which nobody knows before the cells exist. */
const DECLARED_KEYS: readonly KeyType[] = ['text', 'integer', 'none'];

const objectSchema = z.record(z.string(), z.unknown(), { error: 'expected a JSON object' });

/** What is wrong with a folder, in the order it was found. */
class Problems {
  readonly #lines: string[] = [];

  add(file: string, path: string, message: string): void {
    this.#lines.push(path === '' ? `${file}: ${message}` : `${file}: ${path}: ${message}`);
  }

  addIssues(file: string, issues: readonly z.core.$ZodIssue[]): void {
    for (const issue of issues) {
      const inner = issue.code === 'invalid_key' ? issue.issues : [];
      const message = inner.map((problem) => problem.message).join('; ');
      this.add(file, pathOf(issue.path), message || issue.message);
    }
  }

  throwIfAny(dir: string): void {
    if (this.#lines.length === 0) return;
    const count = this.#lines.length === 1 ? '1 problem' : `${this.#lines.length} problems`;
    throw new NiobeError('BAD_DECLARATION', `${count} in the deployment ${dir}\n  ${this.#lines.join('\n  ')}`, {
      problems: this.#lines,
    });
  }
}

/** `topics[0].partitions` of a path of keys and indexes. */
function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text;
}

/** The deployment in `dir`. Throws `BAD_DECLARATION` listing every problem with file and path. */
export async function readDeployment(dir: string): Promise<Deployment> {
  const problems = new Problems();
  const file = await readDeclaration(dir, 'deployment.json', deploymentSchema, problems);
  const events = await readFolder(dir, 'events', eventTypeSchema, problems, checkReferences);
  const written = await readFolder(dir, 'cells', objectSchema, problems);
  const cubes = await readFolder(dir, 'cubes', objectSchema, problems);
  const edges = await readFolder(dir, 'edges', objectSchema, problems);
  const mappings = await readFolder(dir, 'mappings', objectSchema, problems);
  const cells = resolveCells(written, problems);
  checkCells(cells, problems);
  checkEvents(file, events, problems);
  problems.throwIfAny(dir);
  return {
    ...(file as DeploymentFile),
    events: events.map(({ declaration }) => declaration),
    cells: cells.map(({ declaration }) => declaration),
    cubes: cubes satisfies RawDeclaration[],
    edges: edges satisfies RawDeclaration[],
    mappings: mappings satisfies RawDeclaration[],
  };
}

interface Read<T> {
  readonly file: string;
  readonly declaration: T;
}

/** Further rules of a file, told what was read whether or not its shape is right. */
type Check = (json: unknown, report: Report) => void;
const noCheck: Check = () => undefined;

async function readFolder<T>(
  dir: string,
  folder: string,
  schema: z.ZodType<T>,
  problems: Problems,
  check: Check = noCheck,
): Promise<Read<T>[]> {
  const read: Read<T>[] = [];
  for (const name of await listFolder(dir, folder, problems)) {
    const file = `${folder}/${name}`;
    const declaration = await readDeclaration(dir, file, schema, problems, check);
    if (declaration !== null) read.push({ file, declaration });
  }
  return read;
}

async function listFolder(dir: string, folder: string, problems: Problems): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(join(dir, folder));
  } catch (error) {
    if (!isMissing(error)) problems.add(folder, '', messageOf(error));
    return [];
  }
  for (const name of names) {
    if (!name.endsWith('.json')) problems.add(`${folder}/${name}`, '', 'is not a .json file; remove it');
  }
  if (names.length > FILES_LIMIT) problems.add(folder, '', `${names.length} files are more than ${FILES_LIMIT}`);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .slice(0, FILES_LIMIT);
}

const isMissing = (error: unknown): boolean => (error as { readonly code?: unknown }).code === 'ENOENT';

async function readDeclaration<T>(
  dir: string,
  file: string,
  schema: z.ZodType<T>,
  problems: Problems,
  check: Check = noCheck,
): Promise<T | null> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(join(dir, file)));
  } catch (error) {
    problems.add(file, '', isMissing(error) ? 'is missing' : messageOf(error));
    return null;
  }
  check(json, (path, message) => problems.add(file, path, message));
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  problems.addIssues(file, parsed.error.issues);
  return null;
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_LIMIT)
    throw new NiobeError('TOO_LARGE', `${size} bytes are more than ${FILE_BYTES_LIMIT}`, {
      maxBytes: FILE_BYTES_LIMIT,
    });
  return readFile(path, 'utf8');
}

/** The schemas that the files of `cells/` stand for, by the rules of `@niobe/cells`. */
function resolveCells(written: readonly RawDeclaration[], problems: Problems): Read<SchemaDeclaration>[] {
  const byName = new Map(written.map(({ declaration }) => [String(declaration['name']), declaration]));
  const cells: Read<SchemaDeclaration>[] = [];
  for (const { file, declaration } of written) {
    try {
      cells.push({ file, declaration: resolveDeclaration(declaration, byName) });
    } catch (error) {
      if (!isNiobeError(error, 'BAD_DECLARATION')) throw error;
      for (const message of error.details['problems'] as readonly string[]) problems.add(file, '', message);
    }
  }
  return cells;
}

function checkCells(cells: readonly Read<SchemaDeclaration>[], problems: Problems): void {
  const fileOf = new Map<string, string>();
  for (const { file, declaration } of cells) {
    const other = fileOf.get(declaration.name);
    if (other !== undefined) problems.add(file, 'name', `"${declaration.name}" is declared in ${other} too`);
    fileOf.set(declaration.name, file);
    checkCell(file, declaration, problems);
  }
}

function checkCell(file: string, { name, key }: SchemaDeclaration, problems: Problems): void {
  const own = OWN_SCHEMAS.find((beginning) => name.startsWith(beginning));
  if (own !== undefined) problems.add(file, 'name', `names that begin with ${own} are for Niobe's own cells`);
  if (!DECLARED_KEYS.includes(key))
    problems.add(file, 'key', `"${key}" is for Niobe's own cells; possible are ${DECLARED_KEYS.join(', ')}`);
}

function checkEvents(
  file: DeploymentFile | null,
  events: readonly Read<EventTypeDeclaration>[],
  problems: Problems,
): void {
  if (events.length === 0 && file !== null && file.topics.length > 0)
    problems.add('events', '', 'no event type could be read; topics need one at least');
  const fileOf = new Map<string, string>();
  for (const { file: eventFile, declaration } of events) {
    const other = fileOf.get(declaration.type);
    if (other !== undefined) problems.add(eventFile, 'type', `"${declaration.type}" is declared in ${other} too`);
    fileOf.set(declaration.type, eventFile);
    if (file !== null) checkTopic(file.topics, eventFile, declaration, problems);
  }
}

function checkTopic(
  topics: readonly TopicDeclaration[],
  file: string,
  event: EventTypeDeclaration,
  problems: Problems,
): void {
  const topic = topics.find(({ name }) => name === event.topic);
  if (topic === undefined) {
    const names = topics.map(({ name }) => name).join(', ') || 'no topics';
    return problems.add(file, 'topic', `"${event.topic}" is not declared in deployment.json, which has ${names}`);
  }
  if (topic.records !== 'flat') return;
  for (const name of FLAT_NAMES) {
    if (Object.hasOwn(event.fields, name))
      problems.add(file, `fields.${name}`, `flat records use this name beside the data; choose another`);
  }
}
