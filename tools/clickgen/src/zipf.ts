import { assert, type Random } from '@niobe/kernel';

/** Draws ranks 0..n-1 with probability proportional to 1 / (rank + 1)^exponent: few are popular, most are rare. */
export class Zipf {
  readonly #cumulative: Float64Array;

  /** O(n) to build. `exponent` 0 is uniform; 1 is the classical law. */
  constructor(n: number, exponent: number) {
    assert(n > 0, 'a Zipf law has at least one rank');
    this.#cumulative = new Float64Array(n);
    let sum = 0;
    for (let rank = 0; rank < n; rank++) {
      sum += (rank + 1) ** -exponent;
      this.#cumulative[rank] = sum;
    }
  }

  /** A rank, by binary search in the cumulative weights: O(log n). */
  draw(random: Random): number {
    const last = this.#cumulative.length - 1;
    const target = random.next() * this.#cumulative[last]!;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#cumulative[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
