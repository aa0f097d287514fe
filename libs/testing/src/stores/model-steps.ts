import fc from 'fast-check';

/** What a model trial does: random batches, cleaning, shipping, time, scans, snapshots, crashes. */

/** One operation of a batch. `key` picks a key, or the n-th cell without one. */
export interface ModelOperation {
  readonly kind: (typeof OPERATIONS)[number];
  readonly key: number;
  readonly count: number;
  /** Size of the cell's blob. */
  readonly bytes: number;
  /** Seconds until the cell expires, 0 = never. */
  readonly ttlS: number;
}

/** One step of a trial. */
export type ModelStep =
  | { readonly do: 'batch'; readonly operations: readonly ModelOperation[]; readonly rollsBack: boolean }
  | { readonly do: 'clean' | 'ship' | 'advance' | 'scan' | 'snapshot'; readonly amount: number }
  | { readonly do: 'crash' };

/** How large the cells of a trial are, and how many keys they have. */
export interface ModelScale {
  readonly keys: number;
  /** Sizes of blobs, each as likely as the other. */
  readonly blobBytes: readonly number[];
}

/** Few large cells: a batch in twenty meets a full store. */
export const LARGE_CELLS: ModelScale = { keys: 24, blobBytes: [0, 10, 1000, 60_000, 60_000, 250_000] };
/** Many small ones, so that a segment holds thousands. */
export const SMALL_CELLS: ModelScale = { keys: 4_000, blobBytes: [0, 100, 400, 1_000, 2_000, 4_000] };

const OPERATIONS = [
  'put',
  'put',
  'putIfAbsent',
  'replace',
  'stale',
  'delete',
  'merge',
  'merge',
  'create',
  'overwrite',
  'remove',
] as const;
const OPERATIONS_MAX = 8;

/** Steps of a scale. */
export function modelStep(scale: ModelScale): fc.Arbitrary<ModelStep> {
  const operations = fc.record({
    kind: fc.constantFrom(...OPERATIONS),
    key: fc.nat(scale.keys - 1),
    count: fc.nat(3),
    bytes: fc.constantFrom(...scale.blobBytes),
    ttlS: fc.constantFrom(0, 0, 0, 5, 60),
  });
  const batch = fc.record({
    do: fc.constant('batch' as const),
    operations: fc.array(operations, { minLength: 1, maxLength: OPERATIONS_MAX, size: 'max' }),
    rollsBack: fc.constantFrom(false, false, false, true),
  });
  const amount = <What extends string>(what: What, amounts: fc.Arbitrary<number>) =>
    fc.record({ do: fc.constant(what), amount: amounts });
  return fc.oneof(
    { weight: 32, arbitrary: batch },
    { weight: 16, arbitrary: amount('clean', fc.integer({ min: 1, max: 8 })) },
    { weight: 16, arbitrary: amount('ship', fc.integer({ min: 1, max: 20 })) },
    { weight: 8, arbitrary: amount('advance', fc.constantFrom(1, 6, 61)) },
    { weight: 8, arbitrary: amount('scan', fc.constantFrom(1, 1_000, 300_000)) },
    { weight: 6, arbitrary: amount('snapshot', fc.nat(3)) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  );
}

/** The steps of a seed, without end. */
export function* modelSteps(scale: ModelScale, seed: number): Generator<ModelStep> {
  for (let part = 0; ; part++)
    yield* fc.sample(modelStep(scale), { seed: seed + part * PART_STEPS, numRuns: PART_STEPS });
}

/** Steps that are drawn at once. */
const PART_STEPS = 1_000;
