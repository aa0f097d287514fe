import { seededRandom } from '@niobe/kernel';
import { zipfNumbers, type KeyChoice } from '@niobe/testing';

/** How a victim is chosen: the emptiest, or by benefit over cost with the age of the segment, or of what lives in it. */
export type VictimPolicy = 'greedy' | 'cost-benefit' | 'cost-benefit by age of data';

const SEGMENTS = 256;
const SEGMENT_CELLS = 1_000;
/** Segments that only survivors may take. */
const RESERVE = 5;
const VICTIMS = 4;
/** Overwrites before the measurement and in it, in arenas. */
const ARENAS_BEFORE = 3;
const ARENAS_MEASURED = 1;

/**
 * Write cost of a cleaner on paper: cells of one size, memory for {@link SEGMENTS} segments, victims taken when there is no other way, and
 * their live cells sorted by age. What a real cleaner can come near to, since it must begin earlier and has headers and commits.
 */
export function simulatedWriteCost(choice: KeyChoice, share: number, policy: VictimPolicy): number {
  const simulation = new CleaningSimulation(choice, share, policy);
  simulation.fill();
  simulation.overwrite(ARENAS_BEFORE * SEGMENTS * SEGMENT_CELLS);
  const { written, moved } = simulation;
  simulation.overwrite(ARENAS_MEASURED * SEGMENTS * SEGMENT_CELLS);
  return 1 + (simulation.moved - moved) / (simulation.written - written);
}

class CleaningSimulation {
  readonly #policy: VictimPolicy;
  readonly #cells: number;
  readonly #next: () => number;
  /** By place, a segment's places one behind the other: the cell that was written there, and when. */
  readonly #cellAt = new Int32Array(SEGMENTS * SEGMENT_CELLS);
  readonly #writtenAt = new Float64Array(SEGMENTS * SEGMENT_CELLS);
  /** By cell: its place, -1 for none. */
  readonly #placeOf: Int32Array;
  readonly #segments: SimulatedSegment[] = Array.from({ length: SEGMENTS }, (_, number) => ({
    number,
    filled: 0,
    live: 0,
    openedAt: 0,
    sumOfTimes: 0,
  }));
  readonly #free: SimulatedSegment[] = [...this.#segments];
  #head: SimulatedSegment | null = null;
  #survivor: SimulatedSegment | null = null;
  written = 0;
  moved = 0;

  constructor(choice: KeyChoice, share: number, policy: VictimPolicy) {
    this.#policy = policy;
    this.#cells = Math.floor((SEGMENTS - RESERVE) * SEGMENT_CELLS * share);
    this.#placeOf = new Int32Array(this.#cells).fill(-1);
    const random = seededRandom(1);
    this.#next = choice === 'zipf' ? zipfNumbers(this.#cells, random) : () => random.below(this.#cells);
  }

  fill(): void {
    for (let cell = 0; cell < this.#cells; cell++) this.#write(cell);
  }

  overwrite(count: number): void {
    for (let i = 0; i < count; i++) this.#write(this.#next());
  }

  #write(cell: number): void {
    while (this.#free.length <= RESERVE) this.#clean();
    this.written += 1;
    this.#head = this.#withRoom(this.#head);
    this.#append(this.#head, cell, this.written);
  }

  #withRoom(open: SimulatedSegment | null): SimulatedSegment {
    if (open !== null && open.filled < SEGMENT_CELLS) return open;
    const segment = this.#free.pop()!;
    Object.assign(segment, { filled: 0, live: 0, openedAt: this.written, sumOfTimes: 0 });
    return segment;
  }

  #append(segment: SimulatedSegment, cell: number, time: number): void {
    const before = this.#placeOf[cell]!;
    if (before >= 0) {
      const left = this.#segments[Math.floor(before / SEGMENT_CELLS)]!;
      left.live -= 1;
      left.sumOfTimes -= this.#writtenAt[before]!;
    }
    const place = segment.number * SEGMENT_CELLS + segment.filled;
    segment.filled += 1;
    segment.live += 1;
    segment.sumOfTimes += time;
    this.#cellAt[place] = cell;
    this.#writtenAt[place] = time;
    this.#placeOf[cell] = place;
  }

  #clean(): void {
    const isSealed = (segment: SimulatedSegment): boolean => segment !== this.#head && segment !== this.#survivor;
    const candidates = this.#segments.filter((segment) => isSealed(segment) && segment.live < segment.filled);
    const victims = candidates.toSorted((a, b) => this.#worth(b) - this.#worth(a)).slice(0, VICTIMS);
    const places = victims.flatMap((victim) => this.#livePlaces(victim));
    for (const place of places.toSorted((a, b) => this.#writtenAt[a]! - this.#writtenAt[b]!)) {
      this.#survivor = this.#withRoom(this.#survivor);
      this.#append(this.#survivor, this.#cellAt[place]!, this.#writtenAt[place]!);
      this.moved += 1;
    }
    for (const victim of victims) victim.filled = 0;
    this.#free.push(...victims);
  }

  #livePlaces({ number, filled }: SimulatedSegment): number[] {
    const first = number * SEGMENT_CELLS;
    const places = Array.from({ length: filled }, (_, i) => first + i);
    return places.filter((place) => this.#placeOf[this.#cellAt[place]!] === place);
  }

  #worth({ live, openedAt, sumOfTimes }: SimulatedSegment): number {
    const u = live / SEGMENT_CELLS;
    if (this.#policy === 'greedy') return 1 - u;
    const since = this.#policy === 'cost-benefit' ? openedAt : sumOfTimes / Math.max(1, live);
    return ((1 - u) * (this.written - since)) / (1 + u);
  }
}

interface SimulatedSegment {
  readonly number: number;
  filled: number;
  live: number;
  /** Both in cells written. */
  openedAt: number;
  sumOfTimes: number;
}
