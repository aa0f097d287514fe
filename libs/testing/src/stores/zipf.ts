import { mix32, type Random } from '@niobe/kernel';

/** Skew as in YCSB: the first of a million numbers comes in one of 15 draws. */
const SKEW = 0.99;

/**
 * Draws numbers below `count` by Zipf's law, in O(1) each (Gray et al. 1994, "Quickly generating billion-record synthetic databases"),
 * the frequent ones scattered over the whole range.
 */
export function zipfNumbers(count: number, random: Random): () => number {
  const sum = zeta(count);
  const half = 1 + 0.5 ** SKEW;
  const exponent = 1 / (1 - SKEW);
  const eta = (1 - (2 / count) ** (1 - SKEW)) / (1 - half / sum);
  const draw = (): number => {
    const u = random.next();
    if (u * sum < 1) return 0;
    if (u * sum < half) return 1;
    return Math.min(count - 1, Math.floor(count * (eta * u - eta + 1) ** exponent));
  };
  return () => mix32(draw()) % count;
}

/** Sum of 1 / i^SKEW for i from 1 to `count`. */
function zeta(count: number): number {
  let sum = 0;
  for (let i = 1; i <= count; i++) sum += i ** -SKEW;
  return sum;
}
