/**
 * What a partition tells those who ship its log. Called synchronously, within the write or the cleaning; a listener must not write to
 * the store.
 */
export interface StoreEvents {
  /** Bytes `[start, end)` of a segment were committed; they end with the commit of `commitSeq`. Calls come in order of commits. */
  appended(segment: number, start: number, end: number, commitSeq: number): void;
  /** A segment was opened; its first bytes follow. */
  opened(segment: number): void;
  /** Nothing more will be appended to a segment. */
  sealed(segment: number): void;
  /**
   * Nothing in a segment is live any more. Its memory is kept until `release(segment)`: to be called once every commit up to
   * `commitSeq` is on every backup, because those commits hold what made the entries of this segment dead.
   */
  retired(segment: number, commitSeq: number): void;
}

/** For stores whose log goes nowhere. */
export const noEvents: StoreEvents = {
  appended: () => undefined,
  opened: () => undefined,
  sealed: () => undefined,
  retired: () => undefined,
};
