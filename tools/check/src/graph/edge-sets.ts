/** Sets of edges as sorted columns: a million edges are compared without an object for each. */

/** Sorted, each once. */
export function sortedSet(edges: readonly number[] | Float64Array): Float64Array {
  const sorted = Float64Array.from(edges).sort();
  return sorted.filter((edge, i) => i === 0 || edge !== sorted[i - 1]);
}

/** Calls back with each edge that only one of two sorted sets has. O(n). */
export function eachDifference(
  left: Float64Array,
  right: Float64Array,
  differs: (edge: number, side: 'left' | 'right') => void,
): void {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i] ?? Infinity, right[j] ?? Infinity];
    if (a < b) differs(a, 'left');
    else if (b < a) differs(b, 'right');
    if (a <= b) i += 1;
    if (b <= a) j += 1;
  }
}

/** How many edges differ, and the first of them in words. */
export function compareEdgeSets(
  expected: Float64Array,
  actual: Float64Array,
  describe: (edge: number) => string,
): { readonly different: number; readonly example: string } {
  let different = 0;
  let example = '';
  eachDifference(expected, actual, (edge, side) => {
    different += 1;
    if (example === '') example = `${describe(edge)} is ${side === 'left' ? 'missing' : 'too many'}`;
  });
  return { different, example };
}
