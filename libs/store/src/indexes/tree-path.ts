/** The way from the root of an entry tree to a place in a leaf: node and place by level, leaves being level 0. */
export class TreePath {
  readonly nodes: Uint32Array = new Uint32Array(LEVELS_MAX);
  readonly places: Uint32Array = new Uint32Array(LEVELS_MAX);
}

/** Nodes have 48 entries or more on average: 48^8 is beyond what slots can number. */
export const LEVELS_MAX = 8;
