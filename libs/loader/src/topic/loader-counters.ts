import type { LaneCounters } from '@niobe/aggregates';
import type { Counter, Meter } from '@niobe/kernel';
import type { FolderCounters } from '../fold/mapping-folder.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the loader counts; one for a process. */
export interface LoaderCounters extends LaneCounters, FolderCounters {}

/** Declares the counters of the loader. */
export function loaderCounters(meter: Meter): LoaderCounters {
  const counter = (name: string, help: string): Counter => meter.counter(`loader_${name}_total`, help);
  return {
    events: counter('events', 'Events loaded, duplicates not among them'),
    duplicates: counter('events_duplicate', 'Events passed over because their id was seen within the window'),
    deadLetters: counter('events_invalid', 'Records passed over because they are no valid event'),
    expired: counter('events_expired', 'Events passed over for their age; none are'),
    batches: counter('batches', 'Runs of offsets folded and sent'),
    deltas: counter('operations', 'Operations sent: merges of vertices and counters, and neighbours'),
    corrections: counter('cursor_corrections', 'Times a lane went on from where another process had brought a cursor'),
    mergeSeconds: meter.histogram(
      'loader_merge_seconds',
      'From the end of folding a run to its vertices and edges being durable',
      SECONDS,
    ),
    vertices: counter('vertices', 'Merges of vertices that are durable'),
    links: counter('links', 'Neighbours that were sent to lists, each edge from both ends'),
    edgeMerges: counter('edge_merges', 'Merges into the counters of an edge that are durable'),
    absentKeys: counter('absent_keys', 'Vertices and edges that were not made because the event lacks a key'),
    lostEdges: counter('lost_edges', 'Edges that were not made because a vertex was deleted in between'),
    overflows: counter('overflows', 'Values that were passed over because a sum would not fit its field'),
  };
}
