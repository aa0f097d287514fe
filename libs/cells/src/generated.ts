/**
 * Functions made from source text, for the loops that run over millions of bodies. The text is built from numbers of the layout and
 * from fixed words only: no name, value or other text of a declaration or a request ever stands in it. What a function works with
 * (values to compare with, a fallback) is handed over as `given`, so that one text serves all values.
 */

/** Texts whose functions are kept, the ones used last; each is warm code that the next predicate of its shape begins with. */
const TEXTS_MAX = 512;

type Maker = (given: object) => unknown;

const makers = new Map<string, Maker>();

/** The function that `text`, the body of a function with the parameter `given`, returns. Throws nothing that `text` does not. */
export function generate<T>(text: string, given: object): T {
  const maker = makers.get(text) ?? makerOf(text);
  makers.delete(text);
  makers.set(text, maker);
  return maker(given) as T;
}

function makerOf(text: string): Maker {
  if (makers.size >= TEXTS_MAX) makers.delete(makers.keys().next().value!);
  // oxlint-disable-next-line typescript/no-implied-eval -- numbers and fixed words only, see above
  return new Function('given', `'use strict'; ${text}`) as Maker;
}
