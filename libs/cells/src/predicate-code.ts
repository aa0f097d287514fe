import { compareRanges, sameRange } from '@niobe/kernel';
import { findText, halvesText, newestText, numberText, presentText, type Body, type Exits } from './body-code.ts';
import { DictTexts } from './dict-texts.ts';
import { generate } from './generated.ts';
import type { Layout } from './layout.ts';
import type {
  BodyTest,
  CheckedClause,
  Comparison,
  EntryForm,
  EntrySelection,
  Predicate,
  Selection,
  ValueTest,
} from './predicate.ts';
import { isSigned, numberAt } from './numbers.ts';
import { TYPE } from './type-table.ts';
import { hasPrefix, orderOf, samePosition } from './value-order.ts';
import { compareIntegers, f32At, f64At, i32At, u32At } from './words.ts';

/**
 * Predicates as generated code. For a body of the newest revision each clause is a few instructions at known places; any other body is
 * left to the plain tests. A call per body costs more than a simple test, so there is also a form that walks over many bodies.
 */

/** Clauses that fit the layout as one predicate. */
export function generatePredicate(layout: Layout, clauses: readonly CheckedClause[]): Predicate {
  return Object.assign(generateTest(layout, clauses), {
    select: generateSelection(layout, clauses),
    selectIn: (form: EntryForm) => generateEntrySelection(layout, clauses, form),
  });
}

function generateTest(layout: Layout, clauses: readonly CheckedClause[]): BodyTest {
  const exits = { absent: 'return false;', older: 'return older(bytes, at, length);' };
  const body = { at: 'at', length: 'length', reading: 'bytes' } as const;
  return generate(
    `${givenText(clauses)}
return function (bytes, at, length) {
${clausesText(layout, clauses, body, exits)}return true;
};`,
    givenOf(clauses),
  );
}

function generateSelection(layout: Layout, clauses: readonly CheckedClause[]): Selection {
  return generateLoop('bytes, starts, lengths, from, to, hits', clauses, [
    'const at = starts[i], length = lengths[i];',
    clausesText(layout, clauses, MANY, MANY_EXITS),
  ]);
}

function generateEntrySelection(
  layout: Layout,
  clauses: readonly CheckedClause[],
  { kindMask, kind, headerBytes, lengthsWord, bodyBits }: EntryForm,
): EntrySelection {
  return generateLoop('bytes, words, addresses, from, to, hits, other', clauses, [
    'const address = addresses[i];',
    `if ((words[address] & ${kindMask}) !== ${kind}) { if (other(address)) hits[count++] = i; continue; }`,
    `const lengths = words[address + ${lengthsWord}], length = lengths & ${2 ** bodyBits - 1};`,
    `const at = address * 4 + ${headerBytes} + (lengths >>> ${bodyBits});`,
    clausesText(layout, clauses, MANY, MANY_EXITS),
  ]);
}

const MANY: Body = { at: 'at', length: 'length', reading: 'view' };
const MANY_EXITS: Exits = {
  absent: 'continue;',
  older: '{ if (older(bytes, at, length)) hits[count++] = i; continue; }',
};

/** A function that notes in `hits` the numbers `from` to `to` for which the statements of `body` do not leave. */
function generateLoop<T>(parameters: string, clauses: readonly CheckedClause[], body: readonly string[]): T {
  return generate(
    `${givenText(clauses)}
return function (${parameters}) {
const view = viewOf(bytes);
let count = 0;
for (let i = from; i < to; i++) {
${body.join('\n')}
hits[count++] = i;
}
return count;
};`,
    givenOf(clauses),
  );
}

function clausesText(layout: Layout, clauses: readonly CheckedClause[], body: Body, exits: Exits): string {
  const texts = clauses.map((clause, index) => clauseText(clause, index, body, exits));
  return texts.length === 0 ? '' : newestText(layout, body.at, exits) + texts.join('');
}

/** Statements that leave by `absent` unless the clause holds. */
function clauseText(clause: CheckedClause, index: number, body: Body, exits: Exits): string {
  const { path, op } = clause;
  if (path.isMulti) return `if (!holds${index}(bytes, ${body.at}, ${body.length})) ${exits.absent}\n`;
  if (op === 'notNull') return `{\n${presentText(path.steps, body, exits)}}\n`;
  if (op === 'null') {
    const passing = { ...exits, absent: `break isNull${index};` };
    return `isNull${index}: {\n${presentText(path.steps, body, passing)}${exits.absent}\n}\n`;
  }
  const { text, start, end } = findText(path.steps, body, exits);
  return `{\n${text}if (!(${testText(clause, index, start, end, body)})) ${exits.absent}\n}\n`;
}

const SIGNS: Readonly<Record<Comparison, string>> = { eq: '===', ne: '!==', lt: '<', le: '<=', gt: '>', ge: '>=' };

function testText({ path, op }: CheckedClause, index: number, start: string, end: string, body: Body): string {
  const { type } = path;
  if (type === TYPE.dict) return `codes${index}[${numberText(type, start, body.reading)}] === 1`;
  if (op === 'prefix') return `hasPrefix(bytes, ${start}, ${end}, value${index})`;
  const order = orderOf(type);
  const sign = SIGNS[op as Comparison];
  if (order === 'numbers') return `${numberText(type, start, body.reading)} ${sign} number${index}`;
  if (order === 'halves') return halvesTest(type, op as Comparison, index, start, body);
  if (order === 'i128') return `compareIntegers(bytes, ${start}, value${index}, 0, 4, true) ${sign} 0`;
  if (order === 'same') return `samePosition(bytes, ${start}, ${end}, value${index}, 0) === ${op === 'eq'}`;
  if (op === 'eq' || op === 'ne') return sameBytesTest(op, index, start, end);
  return `compareRanges(bytes, ${start}, ${end}, value${index}, 0, value${index}.length) ${sign} 0`;
}

function sameBytesTest(op: 'eq' | 'ne', index: number, start: string, end: string): string {
  const value = `value${index}`;
  const isSame = `${end} - ${start} === ${value}.length && sameRange(bytes, ${start}, ${value}, 0, ${value}.length)`;
  return op === 'eq' ? isSame : `!(${isSame})`;
}

/** Compares the upper halves, and the lower ones where those are equal. */
function halvesTest(type: number, op: Comparison, index: number, start: string, body: Body): string {
  const { low, high } = halvesText(type, start, body.reading);
  if (op === 'eq') return `${low} === low${index} && ${high} === high${index}`;
  if (op === 'ne') return `${low} !== low${index} || ${high} !== high${index}`;
  const strict = op === 'lt' || op === 'le' ? '<' : '>';
  return `${high} ${strict} high${index} || (${high} === high${index} && ${low} ${SIGNS[op]} low${index})`;
}

/** What the code is given: the functions it calls, and by clause its value in the forms that tests compare with. */
function givenOf(clauses: readonly CheckedClause[]): object {
  const comparable = clauses.map(comparableOf);
  const older: BodyTest = (bytes, at, length) => {
    for (let i = 0; i < clauses.length; i++) if (!clauses[i]!.holds(bytes, at, length)) return false;
    return true;
  };
  return {
    older,
    comparable,
    viewOf,
    compareIntegers,
    compareRanges,
    f32At,
    f64At,
    hasPrefix,
    samePosition,
    sameRange,
  };
}

function givenText(clauses: readonly CheckedClause[]): string {
  const names = ['holds', 'value', 'number', 'low', 'high', 'codes'];
  const taken = clauses.map(
    (_, i) => `const { ${names.map((name) => `${name}: ${name}${i}`).join(', ')} } = given.comparable[${i}];`,
  );
  return `const { older, viewOf, compareIntegers, compareRanges, f32At, f64At, hasPrefix, samePosition, sameRange } = given;
${taken.join('\n')}`;
}

interface Comparable {
  readonly holds: BodyTest;
  readonly value: Uint8Array;
  readonly number: number;
  readonly low: number;
  readonly high: number;
  /** By code of a dict: 1 if its text matches. */
  readonly codes: Uint8Array | null;
}

function comparableOf({ path, op, value, holds, test }: CheckedClause): Comparable {
  const order = op === 'null' || op === 'notNull' ? 'none' : orderOf(path.type);
  const isHalves = order === 'halves';
  return {
    holds,
    value,
    number: order === 'numbers' ? numberAt(path.type, value, 0) : 0,
    low: isHalves ? u32At(value, 0) : 0,
    high: !isHalves ? 0 : isSigned(path.type) ? i32At(value, 4) : u32At(value, 4),
    codes: path.type === TYPE.dict && test !== null ? codesOf(path.field.values, test) : null,
  };
}

function codesOf(values: readonly string[], test: ValueTest): Uint8Array {
  const { bytes, starts } = new DictTexts(values);
  return Uint8Array.from(values, (_, code) => (test(bytes, starts[code]!, starts[code + 1]!) ? 1 : 0));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
