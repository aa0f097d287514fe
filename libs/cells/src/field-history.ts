import { FIELD_TYPES } from './type-table.ts';
import { STEPS_MAX, type FieldType } from './types.ts';
import { isInteger, isObject, oneOf, readFlag, unknownKeys, type Unread } from './unread.ts';
import { isWider } from './widening.ts';

/** The rules of `was`: which forms fields had before they were widened. Only `joinRevisions` writes it, but it comes from logs and maps. */

const FORM_KEYS: readonly string[] = ['type', 'optional', 'steps'];

/** Looks at the history of the fields of one schema or record. */
export function readHistory(fields: Unread, path: string, problems: string[]): void {
  const before = problems.length;
  const names = Object.keys(fields);
  for (const name of names) readForms(fields[name], `${path}.${name.slice(0, 64)}`, problems);
  if (problems.length === before) checkSteps(fields as Fields, path, problems);
}

function readForms(field: unknown, path: string, problems: string[]): void {
  if (!isObject(field) || field['was'] === undefined) return;
  const { was } = field;
  if (!Array.isArray(was) || was.length === 0 || was.length > STEPS_MAX) {
    problems.push(`${path}.was: 1 to ${STEPS_MAX} earlier forms`);
    return;
  }
  for (const [i, form] of was.entries()) readForm(form, was[i + 1] ?? field, `${path}.was[${i}]`, problems);
}

function readForm(form: unknown, next: unknown, path: string, problems: string[]): void {
  if (!isObject(form) || !isObject(next)) {
    problems.push(`${path}: an object with type and steps`);
    return;
  }
  unknownKeys(form, FORM_KEYS, `${path}.`, problems);
  readFlag(form, 'optional', path, problems);
  if (!isInteger(form['steps'], 1, STEPS_MAX - 1)) problems.push(`${path}.steps: 1 to ${STEPS_MAX - 1}`);
  if (oneOf(form['type'], FIELD_TYPES, `${path}.type`, problems) && !isNext(form, next))
    problems.push(`${path}: what came after it is not wider`);
}

/** True if a field in one form may have come into the next. */
function isNext(form: Unread, next: Unread): boolean {
  const isLoosened = form['optional'] !== true && next['optional'] === true;
  const isWidened = isWider(form['type'] as FieldType, next['type'] as FieldType);
  const isSame = form['type'] === next['type'];
  return (isWidened && (isLoosened || form['optional'] === next['optional'])) || (isSame && isLoosened);
}

type Fields = Readonly<Record<string, { readonly was?: readonly { readonly steps: number }[] }>>;

/** Each widening has a step of its own, behind the step of its field and behind the widenings before it. */
function checkSteps(fields: Fields, path: string, problems: string[]): void {
  const declared = Object.entries(fields);
  const total = declared.reduce((sum, [, field]) => sum + 1 + (Object(field).was?.length ?? 0), 0);
  if (total > STEPS_MAX) problems.push(`${path}: ${total} fields and widenings are more than ${STEPS_MAX}`);
  const taken = new Set<number>();
  for (const [name, field] of declared) {
    let last = 0;
    for (const { steps } of Object(field).was ?? []) {
      if (steps <= last || steps >= total || taken.has(steps)) problems.push(`${path}.${name}.was: no such step`);
      taken.add(steps);
      last = steps;
    }
  }
  let step = 0;
  for (const [name, field] of declared) {
    while (taken.has(step)) step += 1;
    if (Object(field).was?.[0]?.steps <= step) problems.push(`${path}.${name}.was: a step before its field`);
    step += 1;
  }
}
