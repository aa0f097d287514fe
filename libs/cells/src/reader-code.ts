import { findText, newestText, nearestText, type PathStep } from './body-code.ts';
import { generate } from './generated.ts';
import { f32At, f64At, wideAt } from './words.ts';

/** The number at a path of a body, NaN of a null. */
export type NumberReader = (bytes: Uint8Array, at: number, length: number) => number;

/** A reader for bodies of the newest steps; others are left to `older`. The path has no list and ends in a number. */
export function generateReader(steps: readonly PathStep[], older: NumberReader): NumberReader {
  const exits = { absent: 'return NaN;', older: 'return older(bytes, at, length);' };
  const { text, start } = findText(steps, { at: 'at', length: 'length', reading: 'bytes' }, exits);
  return generate(
    `const { older, f32At, f64At, wideAt } = given;
return function (bytes, at, length) {
${newestText(steps[0]!.layout, 'at', exits)}${text}return ${nearestText(steps.at(-1)!.field.type, start, 'bytes')};
};`,
    { older, f32At, f64At, wideAt },
  );
}
