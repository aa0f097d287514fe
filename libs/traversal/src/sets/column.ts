/** A list of u32 that grows by doubling. */
export class Column {
  /** The first {@link length} hold values; another array after {@link push} or {@link reserve}. */
  values: Uint32Array = EMPTY;
  length = 0;

  /** Bytes it holds, room to grow included. */
  get bytes(): number {
    return this.values.byteLength;
  }

  push(value: number): void {
    if (this.length === this.values.length) this.reserve(1);
    this.values[this.length++] = value;
  }

  /** Makes room for `more` values beyond {@link length}. */
  reserve(more: number): void {
    if (this.length + more <= this.values.length) return;
    const grown = new Uint32Array(Math.max(LEAST, this.values.length * 2, this.length + more));
    grown.set(this.values.subarray(0, this.length));
    this.values = grown;
  }

  /** Forgets all values; keeps a small room and gives a large one back. */
  clear(): void {
    this.length = 0;
    if (this.values.length > KEPT) this.values = EMPTY;
  }
}

const EMPTY = new Uint32Array(0);
const LEAST = 16;
/** Values whose room is kept from step to step. */
const KEPT = 65_536;
