import { assert } from '@niobe/kernel';

/**
 * Free slots, oldest first. A ring that doubles: its size is bounded by the slots of the partition. Both ends work both ways, because
 * a batch that is rolled back puts back what it took and takes back what it gave.
 */
export class SlotQueue {
  #ring: Uint32Array = new Uint32Array(64);
  #first = 0;
  #count = 0;

  get length(): number {
    return this.#count;
  }

  /** Adds the youngest. */
  push(slot: number): void {
    this.#grow();
    this.#ring[(this.#first + this.#count) & (this.#ring.length - 1)] = slot;
    this.#count += 1;
  }

  /** Takes the oldest. */
  shift(): number {
    assert(this.#count > 0, 'a slot is taken from a queue that has one');
    const slot = this.#ring[this.#first]!;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#count -= 1;
    return slot;
  }

  /** Undoes the last {@link shift}. */
  unshift(slot: number): void {
    this.#grow();
    this.#first = (this.#first - 1) & (this.#ring.length - 1);
    this.#ring[this.#first] = slot;
    this.#count += 1;
  }

  /** Undoes the last {@link push}. */
  pop(): number {
    assert(this.#count > 0, 'a slot is taken from a queue that has one');
    this.#count -= 1;
    return this.#ring[(this.#first + this.#count) & (this.#ring.length - 1)]!;
  }

  #grow(): void {
    if (this.#count < this.#ring.length) return;
    const grown = new Uint32Array(this.#ring.length * 2);
    for (let i = 0; i < this.#count; i++) grown[i] = this.#ring[(this.#first + i) & (this.#ring.length - 1)]!;
    this.#ring = grown;
    this.#first = 0;
  }
}
