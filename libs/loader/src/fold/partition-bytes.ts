/** Bytes by grid partition, and the most of them. */
export class PartitionBytes {
  readonly #bytes: Uint32Array;
  #largest = 0;

  /** @param partitions grid partitions. */
  constructor(partitions: number) {
    this.#bytes = new Uint32Array(partitions);
  }

  get largest(): number {
    return this.#largest;
  }

  of(partition: number): number {
    return this.#bytes[partition]!;
  }

  add(partition: number, bytes: number): void {
    const sum = this.#bytes[partition]! + bytes;
    this.#bytes[partition] = sum;
    if (sum > this.#largest) this.#largest = sum;
  }

  clear(): void {
    this.#bytes.fill(0);
    this.#largest = 0;
  }
}
