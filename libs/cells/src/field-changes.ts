import { compareRanges } from '@niobe/kernel';
import { describeField, type FieldFacts } from './field.ts';
import { compareFixed } from './numbers.ts';
import type { FieldDeclaration, FieldDeclarations } from './types.ts';
import { isWider } from './widening.ts';

/** What changed between two declarations of the same fields, and whether bodies and values of the old one fit the new one. */

/** True if something changed; adds the reasons where that does not fit. */
export function compareFields(
  path: string,
  old: FieldDeclarations,
  other: FieldDeclarations,
  reasons: string[],
): boolean {
  let isChanged = false;
  for (const [name, field] of Object.entries(old)) {
    if (!Object.hasOwn(other, name)) reasons.push(`${path}.${name}: was removed`);
    else if (compareField(`${path}.${name}`, field, other[name]!, reasons)) isChanged = true;
  }
  for (const [name, field] of Object.entries(other)) {
    if (Object.hasOwn(old, name)) continue;
    isChanged = true;
    if (field.optional !== true && field.default === undefined)
      reasons.push(`${path}.${name}: was added and is neither optional nor has a default`);
  }
  return isChanged;
}

function compareField(path: string, old: FieldDeclaration, other: FieldDeclaration, reasons: string[]): boolean {
  const before = reasons.length;
  for (const fact of FIXED_FACTS) {
    const [was, is] = [factOf(old, fact), factOf(other, fact)];
    if (was !== is) reasons.push(`${path}.${fact}: ${was} became ${is}`);
  }
  if (old.type !== other.type && !isWider(old.type, other.type))
    reasons.push(`${path}.type: ${old.type} became ${other.type}`);
  if (old.optional === true && other.optional !== true) reasons.push(`${path}.optional: true became false`);
  if (reasons.length > before) return true;
  const isWidened = old.type !== other.type || old.optional !== other.optional;
  const isLoosened = compareLimits(path, old, other, reasons);
  const isInside = compareFields(`${path}.fields`, old.fields ?? {}, other.fields ?? {}, reasons);
  return isWidened || isLoosened || isInside;
}

/** What may not change at all, with what it is where it is left out. */
const FIXED_FACTS = ['array', 'nullItems', 'scale', 'merge'] as const;
const LEFT_OUT = { array: false, nullItems: false, scale: 0, merge: 'replace' } as const;

function factOf(field: FieldDeclaration, fact: (typeof FIXED_FACTS)[number]): string {
  return String(field[fact] ?? LEFT_OUT[fact]);
}

/** Compares which values the fields take. Every limit may only let in more. */
function compareLimits(path: string, old: FieldDeclaration, other: FieldDeclaration, reasons: string[]): boolean {
  const is = describeField(0, path, other, null, true);
  const was = describeField(0, path, { ...old, type: other.type }, null, true);
  const refuse = (fact: keyof FieldDeclaration, isRefused: boolean): void => {
    if (isRefused) reasons.push(`${path}.${fact}: ${textOf(old[fact])} became ${textOf(other[fact])}`);
  };
  refuse('default', !isSame(was.given, is.given));
  refuse('maxBytes', is.maxBytes < was.maxBytes);
  refuse('maxItems', is.maxItems < was.maxItems);
  const least = compareLimit(is.type, was.bounds?.least ?? null, is.bounds?.least ?? null, -1);
  const most = compareLimit(is.type, was.bounds?.most ?? null, is.bounds?.most ?? null, 1);
  refuse('min', least > 0);
  refuse('max', most < 0);
  const isLonger = is.maxBytes > was.maxBytes || is.maxItems > was.maxItems;
  return compareNames(path, was, is, reasons) || isLonger || least !== 0 || most !== 0;
}

function textOf(fact: unknown): string {
  return fact === undefined ? 'none' : JSON.stringify(fact);
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return compareRanges(a, 0, a.length, b, 0, b.length) === 0;
}

/** Where a limit is now: below 0, above 0 or where it was. @param none where there is no limit, seen from any */
function compareLimit(type: number, was: Uint8Array | null, is: Uint8Array | null, none: number): number {
  if (was !== null && is !== null) return compareFixed(type, is, 0, was, 0);
  if (was === is) return 0;
  return is === null ? none : -none;
}

/** An enum may get names behind those it has; a dict has what anyone declared. */
function compareNames(path: string, was: FieldFacts, is: FieldFacts, reasons: string[]): boolean {
  if (is.declaration.type === 'dict') return is.values.some((value) => !was.codes.has(value));
  if (was.values.some((value, code) => is.values[code] !== value))
    reasons.push(`${path}.values: ${textOf(was.values)} became ${textOf(is.values)}`);
  return is.values.length > was.values.length;
}
