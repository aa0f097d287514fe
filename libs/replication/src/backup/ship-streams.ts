import type { Random } from '@niobe/kernel';

/**
 * Order of the sections that a backup server takes, per partition: each registration opens a new stream, whose sections count from 1.
 * Kept in memory alone: a backup server that was restarted knows no stream, so a frame meant for its past life has no effect, even
 * where its disk was emptied in between.
 */
export class ShipStreams {
  readonly #base: number;
  readonly #streams = new Map<number, { readonly stream: number; lastOrder: number }>();
  #opened = 0;

  constructor(random: Random) {
    this.#base = random.u32() * 0x10_0000;
  }

  /** Opens the stream of a new registration; sections of the one before it are stale from now on. */
  open(partition: number): number {
    this.#opened += 1;
    const stream = this.#base + this.#opened;
    this.#streams.set(partition, { stream, lastOrder: 0 });
    return stream;
  }

  /** Whether a stream takes sections. */
  isOpen(partition: number, stream: number): boolean {
    return this.#streams.get(partition)?.stream === stream;
  }

  /** What a section is to its stream; `next` only is to be applied. */
  place(partition: number, stream: number, order: number): 'next' | 'repeated' | 'stale' {
    const open = this.#streams.get(partition);
    if (open?.stream !== stream) return 'stale';
    if (order <= open.lastOrder) return 'repeated';
    return order === open.lastOrder + 1 ? 'next' : 'stale';
  }

  /** Notes that the next section was applied. */
  advance(partition: number): void {
    const open = this.#streams.get(partition);
    if (open !== undefined) open.lastOrder += 1;
  }
}
