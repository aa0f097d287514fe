import { cutAtBlanks, cutAtCommas, type CutRow } from './row-fields.ts';

/** Formats of graph files. */
export const GRAPH_FORMATS: readonly ['snap', 'csv', 'graphalytics'] = ['snap', 'csv', 'graphalytics'];

export type GraphFormat = (typeof GRAPH_FORMATS)[number];

/** How the lines of a format are read: the first two fields are the ends of an edge, further ones may be counters. */
export interface LineRules {
  readonly cut: CutRow;
  /** A line that begins with this byte is passed over; -1: no line is. */
  readonly comment: number;
  /** The first line may name the columns. */
  readonly mayHaveHeader: boolean;
}

const HASH = 35;
const NONE = -1;

export const LINE_RULES: Readonly<Record<GraphFormat, LineRules>> = {
  snap: { cut: cutAtBlanks, comment: HASH, mayHaveHeader: false },
  csv: { cut: cutAtCommas, comment: NONE, mayHaveHeader: true },
  graphalytics: { cut: cutAtBlanks, comment: NONE, mayHaveHeader: false },
};
