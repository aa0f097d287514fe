import { NeighbourReader } from '@niobe/graph';

/**
 * The readers of a shard's searches. A reader remembers where lists lie, so the fewer there are the more it knows: one serves all
 * searches in turn, and only a search whose slice ended within a list keeps its own until it is through with it.
 */
export class ReaderPool {
  readonly #idle: NeighbourReader[] = [];

  take(): NeighbourReader {
    return this.#idle.pop() ?? new NeighbourReader();
  }

  /** At most as many come back as there are searches at once. */
  give(reader: NeighbourReader): void {
    this.#idle.push(reader);
  }
}
