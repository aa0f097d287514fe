import { findText, halvesText, nearestText, newestText, type Body, type Found, type PathStep } from './body-code.ts';
import { generate } from './generated.ts';
import { wideAt } from './words.ts';

/**
 * Generated loops that write the value of one path into a column, for many bodies at once: for paths without lists that end in a number.
 */

/** Writes one row of a body that is not of the newest steps. */
export type RowWriter = (bytes: Uint8Array, at: number, length: number, row: number) => void;

/**
 * Reads the bodies `from` to `to` (exclusive) of the columns `starts` and `lengths` into `first` and `second` from `row` on, and sets the
 * bits of nulls, which were cleared.
 */
export type ColumnLoop = (
  bytes: Uint8Array,
  starts: Float64Array,
  lengths: Uint32Array,
  from: number,
  to: number,
  first: Float64Array | Uint32Array,
  second: Uint32Array | null,
  nulls: Uint8Array,
  row: number,
) => void;

const BODY: Body = { at: 'at', length: 'lengths[i]', reading: 'view' };

/** Numbers into `first`, rounded where a double does not hold them; NaN where null. */
export function generateNumberLoop(steps: readonly PathStep[], older: RowWriter): ColumnLoop {
  const { type } = steps.at(-1)!.field;
  return generateLoop(steps, older, 'first[row] = NaN;', ({ start }) => {
    return `first[row] = ${nearestText(type, start, BODY.reading)};`;
  });
}

/** Integers of 64 bits: lower halves into `first`, upper ones into `second`; 0 where null. */
export function generateWordLoop(steps: readonly PathStep[], older: RowWriter): ColumnLoop {
  const { type } = steps.at(-1)!.field;
  return generateLoop(steps, older, 'first[row] = 0; second[row] = 0;', ({ start }) => {
    const { low, high } = halvesText(type, start, BODY.reading);
    return `first[row] = ${low}; second[row] = ${high};`;
  });
}

function generateLoop(
  steps: readonly PathStep[],
  older: RowWriter,
  nullText: string,
  valueText: (found: Found) => string,
): ColumnLoop {
  const exits = {
    absent: `{ ${nullText} nulls[row >>> 3] |= 1 << (row & 7); continue; }`,
    older: '{ older(bytes, at, lengths[i], row); continue; }',
  };
  const found = findText(steps, BODY, exits);
  return generate(
    `const { older, wideAt } = given;
return function (bytes, starts, lengths, from, to, first, second, nulls, row) {
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
for (let i = from; i < to; i++, row++) {
const at = starts[i];
${newestText(steps[0]!.layout, BODY.at, exits)}${found.text}${valueText(found)}
}
};`,
    { older, wideAt },
  );
}
