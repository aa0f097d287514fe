import type { Meter, Counter, Histogram } from '@niobe/kernel';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What lanes count; one for a process. */
export interface LaneCounters {
  readonly events: Counter;
  readonly duplicates: Counter;
  readonly deadLetters: Counter;
  readonly expired: Counter;
  readonly batches: Counter;
  readonly deltas: Counter;
  readonly corrections: Counter;
  readonly mergeSeconds: Histogram;
}

/** Declares the counters of lanes of cubes. */
export function laneCounters(meter: Meter): LaneCounters {
  return {
    events: meter.counter('events_folded_total', 'Events folded, duplicates not among them'),
    duplicates: meter.counter(
      'events_duplicate_total',
      'Events passed over because their id was seen within the window',
    ),
    deadLetters: meter.counter('events_dead_total', 'Records sent to the dead letters of their topic'),
    expired: meter.counter('events_expired_total', 'Events, once per cube, whose pane had expired when they arrived'),
    batches: meter.counter('batches_total', 'Runs of offsets folded and sent'),
    deltas: meter.counter('deltas_total', 'Merge operations sent'),
    corrections: meter.counter(
      'cursor_corrections_total',
      'Times a lane went on from where another process had brought a cursor',
    ),
    mergeSeconds: meter.histogram(
      'merge_seconds',
      'From the end of folding a run to its deltas being durable',
      SECONDS,
    ),
  };
}
