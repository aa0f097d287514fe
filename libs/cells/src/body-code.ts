import type { Field } from './field.ts';
import { fixedEnd, headBytes, WIDE_BODY_BYTES, type Layout } from './layout.ts';
import { isSigned } from './numbers.ts';
import { TYPE } from './type-table.ts';

/**
 * Source text that finds and reads values in a body, for `generate`. It works on the variable `bytes` and knows the places of bodies of
 * the newest steps as constants; at others, and at nulls, it leaves by an exit.
 */

/** How generated code sees the body that it works on. */
export interface Body {
  /** Expressions for where the body begins in `bytes`, and for its length. */
  readonly at: string;
  readonly length: string;
  /** How unaligned numbers are read: through a `DataView` named `view`, or byte by byte where a view would be made for each body. */
  readonly reading: 'view' | 'bytes';
}

/** Statements by which generated code leaves. */
export interface Exits {
  /** Where a field on the way is null. */
  readonly absent: string;
  /** Where a body has fewer steps than are written now. */
  readonly older: string;
}

/** One field on the way to a value. */
export interface PathStep {
  readonly layout: Layout;
  readonly field: Field;
}

/** Statements that find a value, and expressions for where it lies then. */
export interface Found {
  readonly text: string;
  readonly start: string;
  readonly end: string;
}

/** Leaves by `older` unless the body at `at` is of the newest steps. */
export function newestText(layout: Layout, at: string, exits: Exits): string {
  return `if (bytes[${at}] !== ${layout.steps}) ${exits.older}\n`;
}

/** Finds the value that `steps` lead to, none of them a list; the outermost body must have passed {@link newestText}. */
export function findText(steps: readonly PathStep[], body: Body, exits: Exits): Found {
  const last = steps.at(-1)!;
  const { at, length, text } = wayText(steps, body, exits);
  const found = placeText(last, at, length, steps.length - 1);
  return { ...found, text: text + absentText(last.field, at, exits) + found.text };
}

/** Leaves by `absent` where the value that `steps` lead to is null, or a record on the way is. */
export function presentText(steps: readonly PathStep[], body: Body, exits: Exits): string {
  const { at, text } = wayText(steps, body, exits);
  return text + absentText(steps.at(-1)!.field, at, exits);
}

/** Finds the body that the last field of `steps` is in. */
function wayText(steps: readonly PathStep[], body: Body, exits: Exits): { text: string; at: string; length: string } {
  let way = { text: '', at: body.at, length: body.length };
  for (let depth = 0; depth + 1 < steps.length; depth++) {
    const step = steps[depth]!;
    const { text, start, end } = placeText(step, way.at, way.length, depth);
    const inner = newestText(steps[depth + 1]!.layout, start, exits);
    way = {
      text: way.text + absentText(step.field, way.at, exits) + text + inner,
      at: start,
      length: `(${end} - ${start})`,
    };
  }
  return way;
}

function absentText({ nullBit }: Field, at: string, exits: Exits): string {
  if (nullBit < 0) return '';
  return `if ((bytes[${at} + ${1 + (nullBit >>> 3)}] & ${1 << (nullBit & 7)}) !== 0) ${exits.absent}\n`;
}

function placeText({ layout, field }: PathStep, at: string, length: string, depth: number): Found {
  if (!field.variable) {
    const offset = 1 + layout.bitmapBytes[layout.steps]! + field.fixedOffset;
    return { text: '', start: `(${at} + ${offset})`, end: `(${at} + ${offset + field.fixedBytes})` };
  }
  const [narrow, start, end] = [`narrow${depth}`, `start${depth}`, `end${depth}`];
  const table = fixedEnd(layout, layout.steps);
  const endText = (rank: number): string =>
    `${at} + (${narrow} ? ${u16Text(`${at} + ${table + rank * 2}`)} : ${u32Text(`${at} + ${table + rank * 4}`, 'bytes')})`;
  const headText = `${at} + (${narrow} ? ${headBytes(layout, layout.steps, 2)} : ${headBytes(layout, layout.steps, 4)})`;
  const text = `const ${narrow} = ${length} < ${WIDE_BODY_BYTES};
const ${start} = ${field.rank === 0 ? headText : endText(field.rank - 1)};
const ${end} = ${endText(field.rank)};
`;
  return { text, start, end };
}

/** An expression for the number at `at`; '' for types that no double holds exactly. Uses `f32At` and `f64At` of `words.ts`. */
export function numberText(type: number, at: string, reading: Body['reading']): string {
  switch (type) {
    case TYPE.bool:
    case TYPE.u8:
      return `bytes[${at}]`;
    case TYPE.i8:
      return `(bytes[${at}] << 24 >> 24)`;
    case TYPE.u16:
    case TYPE.enum:
    case TYPE.dict:
      return u16Text(at);
    case TYPE.i16:
      return `(${u16Text(at)} << 16 >> 16)`;
    case TYPE.i32:
    case TYPE.date:
      return i32Text(at, reading);
    case TYPE.u32:
    case TYPE.char:
      return u32Text(at, reading);
    case TYPE.f32:
      return reading === 'view' ? `view.getFloat32(${at}, true)` : `f32At(bytes, ${at})`;
    case TYPE.f64:
      return reading === 'view' ? `view.getFloat64(${at}, true)` : `f64At(bytes, ${at})`;
    default:
      return '';
  }
}

/** An expression for the number at `at`, rounded where a double does not hold it. Uses {@link numberText}'s and `wideAt`. */
export function nearestText(type: number, at: string, reading: Body['reading']): string {
  if (type === TYPE.i128) return `wideAt(bytes, ${at}, 4, true)`;
  const exact = numberText(type, at, reading);
  if (exact !== '') return exact;
  const { low, high } = halvesText(type, at, reading);
  return `${low} + ${high} * 4294967296`;
}

/** Expressions for the halves of a 64-bit integer: the lower one unsigned, the upper one as the type has it. */
export function halvesText(type: number, at: string, reading: Body['reading']): { low: string; high: string } {
  const high = isSigned(type) ? i32Text(`${at} + 4`, reading) : u32Text(`${at} + 4`, reading);
  return { low: u32Text(at, reading), high };
}

function u16Text(at: string): string {
  return `(bytes[${at}] | bytes[${at} + 1] << 8)`;
}

function i32Text(at: string, reading: Body['reading']): string {
  if (reading === 'view') return `view.getInt32(${at}, true)`;
  return `(bytes[${at}] | bytes[${at} + 1] << 8 | bytes[${at} + 2] << 16 | bytes[${at} + 3] << 24)`;
}

function u32Text(at: string, reading: Body['reading']): string {
  return reading === 'view' ? `view.getUint32(${at}, true)` : `(${i32Text(at, reading)} >>> 0)`;
}
