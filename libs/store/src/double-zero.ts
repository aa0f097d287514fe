/**
 * Zero for a field that counts further than 2^31. To the engine it is a double. A field that begins as a small integer would change its
 * representation there, and all compiled code that knows the class be thrown away in the middle of the work: stalls of tens of
 * milliseconds, once, after 2 GiB of writes.
 */
export const DOUBLE_ZERO: number = -0;
