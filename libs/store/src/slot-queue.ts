import { assert } from '@niobe/kernel';

/**
 * Free slots of one schema, oldest first. Both ends work both ways, because a batch that is rolled back puts back what it took and takes
 * back what it gave. Kept in chunks, so that growth copies nothing and memory goes back as the queue gets shorter; a slot is in the
 * queue at most once, so it is bounded by the slots of the schema.
 */
export class SlotQueue {
  readonly #chunks: Uint32Array[] = [];
  /** Place of the oldest in the first chunk. */
  #first = 0;
  #count = 0;

  get length(): number {
    return this.#count;
  }

  /** Adds the youngest. */
  push(slot: number): void {
    const at = this.#first + this.#count;
    if (at >>> CHUNK_BITS === this.#chunks.length) this.#chunks.push(new Uint32Array(CHUNK_SLOTS));
    this.#chunks[at >>> CHUNK_BITS]![at & CHUNK_MASK] = slot;
    this.#count += 1;
  }

  /** Takes the oldest. */
  shift(): number {
    assert(this.#count > 0, 'a slot is taken from a queue that has one');
    const slot = this.#chunks[0]![this.#first]!;
    this.#first += 1;
    this.#count -= 1;
    if (this.#first === CHUNK_SLOTS) {
      this.#chunks.shift();
      this.#first = 0;
    }
    return slot;
  }

  /** Undoes the last {@link shift}. */
  unshift(slot: number): void {
    if (this.#first === 0) {
      this.#chunks.unshift(new Uint32Array(CHUNK_SLOTS));
      this.#first = CHUNK_SLOTS;
    }
    this.#first -= 1;
    this.#chunks[0]![this.#first] = slot;
    this.#count += 1;
  }

  /** Undoes the last {@link push}. */
  pop(): number {
    assert(this.#count > 0, 'a slot is taken from a queue that has one');
    this.#count -= 1;
    const at = this.#first + this.#count;
    const slot = this.#chunks[at >>> CHUNK_BITS]![at & CHUNK_MASK]!;
    if ((at & CHUNK_MASK) === 0) this.#chunks.pop();
    return slot;
  }
}

/** A chunk of 1 KiB: many partitions have a few free slots of many schemas each. */
const CHUNK_BITS = 8;
const CHUNK_SLOTS: number = 1 << CHUNK_BITS;
const CHUNK_MASK: number = CHUNK_SLOTS - 1;
