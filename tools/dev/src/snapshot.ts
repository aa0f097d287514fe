/** What the screen shows of the system at one moment. Null: not known (yet). */
export interface Snapshot {
  readonly services: readonly ServiceLine[];
  readonly eventsPerSecond: number | null;
  /** Events in the log that are not in the cubes yet, or not in the graph, whichever are more. */
  readonly consumerLag: number | null;
  /** Cells in all shards. */
  readonly cells: number | null;
  /** In the graph. */
  readonly vertices: number | null;
  readonly edges: number | null;
  readonly top: TopGroups | null;
}

export interface ServiceLine {
  readonly name: string;
  readonly url: string;
  readonly ready: boolean;
  /** Why it is not ready, or what the launcher does about it. */
  readonly reason: string;
  readonly memoryBytes: number | null;
}

/** The largest groups of a cube since a moment. */
export interface TopGroups {
  /** Such as `product`. */
  readonly dimension: string;
  readonly measure: string;
  readonly sinceMs: number;
  readonly groups: readonly { readonly name: string; readonly count: number }[];
}
