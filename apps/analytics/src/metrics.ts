import {
  CELL_IDS_MAX,
  DELTA_BYTES_MAX,
  FETCH_BYTES,
  GROUPS_MAX,
  LIMIT_MAX,
  PARK_AFTER_MS,
  RUN_RECORDS_MAX,
  type Aggregator,
} from '@niobe/aggregates';
import type { TopicDeclaration } from '@niobe/events';
import type { Meter } from '@niobe/kernel';
import { FOLLOWERS_MAX, QUESTIONS_MAX, type LiveQuestions } from './live/live-questions.ts';

/** Codes that a partition may wait with, as labels; whatever else it waits with is `other`. */
const WAIT_CODES: readonly string[] = ['BUSY', 'STORE_FULL', 'BACKUP_UNAVAILABLE', 'UNAVAILABLE', 'OFFSET_GONE'];

/** Gauges of an aggregator: what it holds, how far it is behind, why it waits, and the bounds it keeps to. */
export function aggregatorGauges(meter: Meter, aggregator: Aggregator, topics: readonly TopicDeclaration[]): void {
  for (const { name, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) lagGauge(meter, aggregator, name, partition);
  }
  const total = (read: 'seenIds' | 'seenBytes' | 'leftBehind') => (): number =>
    aggregator.report().reduce((sum, share) => sum + share[read], 0);
  meter.gauge('open_lanes', 'Lanes; more than one for a topic while a cube catches up', () => aggregator.lanes);
  meter.gauge('seen_ids', 'Event ids in the deduplication tables', total('seenIds'));
  meter.gauge('seen_bytes', 'Memory of the deduplication tables', total('seenBytes'));
  meter.gauge('damaged_partitions', 'Grid partitions left behind because every copy is damaged', total('leftBehind'));
  for (const code of [...WAIT_CODES, 'other']) waitGauge(meter, aggregator, code);
  boundGauges(meter);
}

function lagGauge(meter: Meter, aggregator: Aggregator, topic: string, partition: number): void {
  const help = 'Records of a Kafka partition that are not folded yet, by the lane that is furthest behind';
  const read = (): number =>
    Math.max(
      0,
      ...aggregator
        .report()
        .filter((share) => share.topic === topic && share.partition === partition)
        .map(({ lag }) => lag),
    );
  meter.gauge('lag_records', help, read, { topic, partition: String(partition) });
}

function waitGauge(meter: Meter, aggregator: Aggregator, code: string): void {
  const isCode = (waiting: string): boolean => (WAIT_CODES.includes(waiting) ? waiting === code : code === 'other');
  const read = (): number =>
    aggregator.report().filter(({ waiting }) => waiting !== null && isCode(waiting.code)).length;
  meter.gauge('paused_partitions', 'Kafka partitions that wait, by what they wait with', read, { reason: code });
}

/** Gauges of what is followed live. */
export function liveGauges(meter: Meter, live: LiveQuestions): void {
  meter.gauge('live_followers', 'Connections that follow a cube', () => live.followers);
  meter.gauge('live_questions', 'Different questions that are followed', () => live.questions);
}

function boundGauges(meter: Meter): void {
  const bound = (name: string, help: string, value: number): void =>
    meter.gauge(`${name}_limit`, `Bound: ${help}`, () => value);
  bound('live_followers', 'connections that follow a cube', FOLLOWERS_MAX);
  bound('live_questions', 'different questions that are followed', QUESTIONS_MAX);
  bound('delta_bytes', 'deltas of one grid partition in one batch', DELTA_BYTES_MAX);
  bound('fetch_bytes', 'one fetch from a Kafka partition', FETCH_BYTES);
  bound('run_records', 'records folded and sent together', RUN_RECORDS_MAX);
  bound('seen_cell_ids', 'ids of one deduplication cell', CELL_IDS_MAX);
  bound('park_seconds', 'wait of a batch before its partition pauses', PARK_AFTER_MS / 1000);
  bound('query_groups', 'groups of one merged answer', GROUPS_MAX);
  bound('query_rows', 'rows of one answer', LIMIT_MAX);
}
