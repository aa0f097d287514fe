import type { Clause, FieldDeclarations, SchemaDeclaration } from '@niobe/cells';
import type { IndexBound, IndexRange, PlacedRange, SecondaryIndex } from './secondary-index.ts';

/**
 * Which index a scan uses: of those that a clause can use the one that promises the fewest cells, if that is few enough. An index may
 * promise too much and never too little: the predicate is asked of every cell, but where the range alone says what all clauses say.
 *
 * An equality uses both kinds, an order or a prefix the sorted kind, `has` one on a path with many values; `ne`, `null` and `notNull`
 * use none. Clauses on one path make one range, except on a path with many values, where each may be met by another value.
 */
export interface ScanPlan {
  readonly schemaId: number;
  /** Null: every cell of the schema is looked at. */
  readonly access: IndexAccess | null;
  readonly explain: ScanExplanation;
}

export interface IndexAccess {
  readonly index: SecondaryIndex;
  readonly range: IndexRange;
  /** True where every cell of the range meets all clauses, so that none needs to be asked. */
  readonly isPrecise: boolean;
}

/** What a plan says of itself. */
export interface ScanExplanation {
  /** Name of the index, null for none. */
  readonly index: string | null;
  /** Cells to be looked at: with an index about so many. */
  readonly cells: number;
  /** Why, in words: `index by_price (sorted, price): about 12 of 1000 cells` or `no index: ...`. */
  readonly text: string;
}

/** Plans a scan of a schema with `cells` cells. O(clauses indexes log entries). */
export function planScan(
  schemaId: number,
  declaration: SchemaDeclaration,
  indexes: readonly SecondaryIndex[],
  clauses: readonly Clause[],
  cells: number,
): ScanPlan {
  const noIndex = (why: string): ScanPlan => ({
    schemaId,
    access: null,
    explain: { index: null, cells, text: `no index: ${why}` },
  });
  if (clauses.length === 0) return noIndex('there is no clause');
  if (indexes.length === 0) return noIndex('the schema declares none');
  const fitting = indexes.flatMap((index) => accessesOf(index, declaration, clauses));
  if (fitting.length === 0) return noIndex(`no clause can use ${indexes.map(({ name }) => name).join(', ')}`);
  const usable = fitting.filter(({ index }) => index.isComplete);
  if (usable.length === 0) return noIndex(`${fitting[0]!.index.name} is being built`);
  const best = usable
    .map((access) => ({ access, matches: estimate(access.index.place(access.range)) }))
    .reduce((least, other) => (other.matches < least.matches ? other : least));
  const { name, kind, on } = best.access.index;
  const share = `about ${best.matches} of ${cells} cells`;
  if (best.matches * SCAN_ADVANTAGE > cells && best.matches > FEW) return noIndex(`${name} gives ${share}`);
  return {
    schemaId,
    access: best.access,
    explain: { index: name, cells: best.matches, text: `index ${name} (${kind}, ${on}): ${share}` },
  };
}

function estimate(placed: PlacedRange | null): number {
  return placed === null ? 0 : Math.max(1, Math.round(placed.to.rank - placed.from.rank));
}

/** A scan in the order of slots looks at so many cells while an index leads to one: what a figure of `bench -- store` measures. */
const SCAN_ADVANTAGE = 8;
/** So many cells are looked up by an index in any case. */
const FEW = 64;

/** The ranges of an index that hold whatever meets the clauses: any one of them will do. */
function accessesOf(index: SecondaryIndex, declaration: SchemaDeclaration, clauses: readonly Clause[]): IndexAccess[] {
  const ranges = clauses
    .filter((clause) => pathOf(declaration, clause) === index.on)
    .map((clause) => rangeOf(index, clause))
    .filter((range) => range !== null);
  if (index.isMulti || ranges.length === 0) return ranges.map((range) => ({ index, range, isPrecise: false }));
  const isPrecise = index.isPrecise && ranges.length === clauses.length && !haveRivals(ranges);
  return [{ index, range: ranges.reduce(intersection), isPrecise }];
}

/** True where two ranges have a bound on one side: of such bounds {@link tighter} knows only the keys. */
function haveRivals(ranges: readonly IndexRange[]): boolean {
  return ranges.filter(({ from }) => from !== null).length > 1 || ranges.filter(({ to }) => to !== null).length > 1;
}

/** The path of a clause's field, '' where the schema has none such. */
function pathOf(declaration: SchemaDeclaration, { field, inner = [] }: Clause): string {
  let fields: FieldDeclarations | undefined = declaration.fields;
  const names: string[] = [];
  for (const place of [field, ...inner]) {
    const name: string | undefined = Object.keys(fields ?? {})[place];
    if (name === undefined) return '';
    names.push(name);
    fields = fields![name]!.fields;
  }
  return names.join('.');
}

/** The values that meet a clause, null where the index cannot tell. */
function rangeOf(index: SecondaryIndex, { op, value }: Clause): IndexRange | null {
  if (op === 'eq' || op === 'has') return { from: index.boundOf(value, false), to: index.boundOf(value, false) };
  if (index.kind === 'hash') return null;
  switch (op) {
    case 'lt':
    case 'le':
      return { from: null, to: index.boundOf(value, op === 'lt') };
    case 'gt':
    case 'ge':
      return { from: index.boundOf(value, op === 'gt'), to: null };
    case 'prefix':
      return index.prefixRange(value);
    default:
      return null;
  }
}

function intersection(a: IndexRange, b: IndexRange): IndexRange {
  return { from: tighter(a.from, b.from, 1), to: tighter(a.to, b.to, -1) };
}

/** The bound that leaves fewer values: the higher one of two lower bounds (`sign` 1), the lower one of two upper ones (-1). */
function tighter(a: IndexBound | null, b: IndexBound | null, sign: 1 | -1): IndexBound | null {
  if (a === null || b === null) return a ?? b;
  return (a.key - b.key) * sign >= 0 ? a : b;
}
