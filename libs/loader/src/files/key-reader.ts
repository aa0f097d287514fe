/** In place of a row: the field is no key. */
export const NO_KEY = -1;

/** Turns key fields of a file into rows of `VertexIds`; a key that is new is added. */
export interface KeyReader {
  /** The row of the key that stands in `bytes[start, end)`, or {@link NO_KEY}. O(1) expected. */
  row(bytes: Uint8Array, start: number, end: number): number;
  /** The rows were forgotten. */
  clear(): void;
}
