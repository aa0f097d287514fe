import { seededRandom, type Random } from '@niobe/kernel';
import type { RecoveredSegment } from '@niobe/store';
import { DamagedLog, type DamageOutcome } from './damaged-log.ts';

/** How often damage was met, by what became of it. */
export type DamageCounts = Record<DamageOutcome, number>;

/** Single bits that are flipped, and segments that are cut, at random places of one log. Each trial throws what recovery got wrong. */
export class DamageTrials {
  readonly #log: DamagedLog;
  readonly #random: Random;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#log = new DamagedLog(seed);
    this.#random = seededRandom(seed + 1);
  }

  /** What the log is. */
  get summary(): string {
    const loose = this.#log.segments.reduce((sum, { bytes, durableBytes }) => sum + bytes.length - durableBytes, 0);
    return `${this.#log.segments.length} segments of ${this.#log.bytes} bytes, ${loose} of them not durable, seed ${this.#seed}`;
  }

  /** Flips `trials` single bits, one at a time. */
  flipBits(trials: number): DamageCounts {
    return this.#run(trials, ({ bytes }, at) => {
      const flipped = bytes.slice();
      flipped[at] = flipped[at]! ^ (1 << this.#random.below(8));
      return flipped;
    });
  }

  /** Cuts one segment at a time, `trials` times. */
  cut(trials: number): DamageCounts {
    return this.#run(trials, ({ bytes }, at) => bytes.slice(0, at));
  }

  #run(trials: number, damage: (segment: RecoveredSegment, at: number) => Uint8Array): DamageCounts {
    const counts: DamageCounts = { damage: 0, cut: 0 };
    for (let trial = 0; trial < trials; trial++) {
      const { segment, at } = this.#log.placeOf(this.#random.below(this.#log.bytes));
      const bytes = damage(segment, at);
      try {
        counts[this.#log.check(segment, bytes, at)] += 1;
        if (trial % BESIDE_WHOLE_EVERY === 0) this.#log.checkBesideWhole(segment, bytes);
      } catch (error) {
        throw new Error(`segment ${segment.segment}, byte ${at}, trial ${trial} of seed ${this.#seed}`, {
          cause: error,
        });
      }
    }
    return counts;
  }
}

/** Every so many trials the damaged segment also comes beside a whole copy. */
const BESIDE_WHOLE_EVERY = 10;
