import { randomBytes } from 'node:crypto';

/** Randomness as a service, so that a seed replays a run. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1) with 32 bits. */
  next(): number;
  /** Uniform integer in [0, limit), `limit` in 1..2^32. */
  below(limit: number): number;
  /** A u32. */
  u32(): number;
}

/** sfc32 (Chris Doty-Humphrey's Small Fast Counter, PractRand), seeded through splitmix-style mixing. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const word = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = word();
  let b = word();
  let c = word();
  let counter = 1;
  const u32 = (): number => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let i = 0; i < 12; i++) u32();
  return { u32, next: () => u32() / 0x1_0000_0000, below: (limit) => Math.floor((u32() / 0x1_0000_0000) * limit) };
}

/** A random source seeded by the system. */
export function systemRandom(): Random {
  return seededRandom(randomBytes(4).readUInt32LE(0));
}

/** A random identity of `bytes` bytes as lower-case hex. */
export function randomHex(random: Random, bytes: number): string {
  let text = '';
  for (let i = 0; i < bytes; i++) text += random.below(256).toString(16).padStart(2, '0');
  return text;
}
