import type { SchemaDeclaration } from '@niobe/cells';

/**
 * A snapshot as another thread gets it: shared memory and a few plain values, to be posted as it is. What it leads to does not change while
 * the snapshot is open.
 */
export interface SharedSnapshot {
  readonly partition: number;
  /** Version of the last commit it shows. */
  readonly epoch: number;
  readonly seq: number;
  /** When it was taken, Unix milliseconds: what had not expired then has not in here. */
  readonly timeMs: number;
  /** The arena. */
  readonly memory: SharedArrayBuffer;
  /** By grain of the arena: what entries do not say themselves; see entry.ts. */
  readonly bases: SharedArrayBuffer;
  /** The pool of slot pages. */
  readonly slotPages: SharedArrayBuffer;
  /** State, then the base of each page, then the schema id of each. */
  readonly directory: SharedArrayBuffer;
  /** Pages in the directory. */
  readonly pages: number;
  readonly schemas: readonly SharedSchema[];
}

/** A schema that cells of the snapshot may have. */
export interface SharedSchema {
  readonly id: number;
  readonly revision: number;
  readonly declaration: SchemaDeclaration;
}

/** First word of a directory. A snapshot that has ended may lead to memory that holds something else by now. */
export const STATE: { readonly open: 1; readonly ended: 2 } = { open: 1, ended: 2 };

/** The parts of a directory of so many pages. */
export interface DirectoryViews {
  /** One word, of {@link STATE}. */
  readonly state: Int32Array;
  readonly bases: Uint32Array;
  readonly schemaIds: Uint16Array;
}

export function directoryViews(directory: SharedArrayBuffer, pages: number): DirectoryViews {
  const basesAt = Int32Array.BYTES_PER_ELEMENT;
  return {
    state: new Int32Array(directory, 0, 1),
    bases: new Uint32Array(directory, basesAt, pages),
    schemaIds: new Uint16Array(directory, basesAt + pages * Uint32Array.BYTES_PER_ELEMENT, pages),
  };
}

/** Bytes of a directory. */
export function directoryBytes(pages: number): number {
  return Int32Array.BYTES_PER_ELEMENT + pages * (Uint32Array.BYTES_PER_ELEMENT + Uint16Array.BYTES_PER_ELEMENT);
}
