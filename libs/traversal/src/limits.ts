/** Bounds of a search. Who is refused by one gets a typed error that names it. */

const MiB = 1024 * 1024;

/** Vertices a search may start from. */
export const STARTS_MAX = 1024;
/** Hops of one search. */
export const HOPS_MAX = 32;
/** How often a hop may be repeated. */
export const REPEAT_MAX = 1000;

/** Rows of an answer, unless asked otherwise, and at most. */
export const LIMIT_DEFAULT = 100;
export const LIMIT_MAX = 10_000;

/** Distinct vertices a search may reach, unless asked otherwise, and at most. */
export const BUDGET_VERTICES = 10_000_000;
export const BUDGET_VERTICES_MAX = 1_000_000_000;
/** Bytes of state and messages at all shards together, unless asked otherwise, and at most. */
export const BUDGET_BYTES: number = 256 * MiB;
export const BUDGET_BYTES_MAX: number = 4096 * MiB;
/** Milliseconds from the request to its answer or error, unless asked otherwise, and at most. */
export const BUDGET_MS = 10_000;
export const BUDGET_MS_MAX = 60_000;

/** Searches at once: of one coordinator, and at one shard. More get `TOO_MANY_SEARCHES`. */
export const SEARCHES_MAX = 16;
/** Pause that a refused caller is told. */
export const SEARCHES_RETRY_MS = 1_000;

/** Shards of one search. */
export const SHARDS_MAX = 1024;
/** Partitions of a grid: cell ids keep 12 bits for them. */
export const PARTITIONS_MAX = 4096;

/** The engine holds a shard's thread this long at once; with what one look at the time lets pass it stays below 5. */
export const SLICE_MS = 4;
/** A task that nobody sent anything for this long is freed. */
export const IDLE_MS = 30_000;
/** Pause between two looks for idle tasks. */
export const SWEEP_MS = 1_000;
/** Tasks that ended whose ids and errors are remembered. */
export const ENDED_REMEMBERED = 256;

/** A frontier message takes no further section once it has this many bytes. */
export const PART_BYTES: number = MiB / 2;
/** Longest message between shards. */
export const PART_BYTES_MAX: number = MiB;
/** Slots of one section, which is written and read in one go: 164 KiB at most, ten bytes a slot with its count. */
export const SECTION_SLOTS_MAX = 16_384;
/** Parts of one step from one shard to another. */
export const PARTS_MAX = 65_536;
/** Parts one task has in flight to one peer. */
export const PARTS_IN_FLIGHT = 4;
/** Wait for the acknowledgement of a part before it is sent again. */
export const PART_ATTEMPT_MS = 400;
/** Pause before a part that was refused or found nobody is sent again. */
export const PART_PAUSE_MS = 5;
/** So long a peer may not know the search yet, because its START is still on the way. */
export const START_GRACE_MS = 1_000;

/** Longest wait of a COLLECT for the end of the search. */
export const POLL_MS = 1_000;
/** Wait for any other answer of a shard before the message is sent again. */
export const ASK_ATTEMPT_MS = 400;
/** Bytes of rows in one COLLECT reply. */
export const PAGE_BYTES: number = MiB / 2;
/** Longest reply to the coordinator: a page, the row that filled it, and the counts of all levels. */
export const REPLY_BYTES_MAX: number = MiB;

/** Pause before a message to a shard that may have been lost is sent again. */
export const ASK_PAUSE_MS = 10;
/** How often a shard is told that a search is over. */
export const END_TRIES_MAX = 3;
/** First and longest pause before a search that a shard could not finish is begun anew. */
export const ATTEMPT_PAUSE_MS = 25;
export const ATTEMPT_PAUSE_MS_MAX = 500;
