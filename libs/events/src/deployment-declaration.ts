import type { SchemaDeclaration } from '@niobe/cells';
import { z } from 'zod';
import type { EventTypeDeclaration } from './event-declaration.ts';

/** How a topic's records carry events: CloudEvents binary mode, or one flat JSON object without headers. */
export type RecordFormat = 'cloudevents' | 'flat';

/** Window in which a repeated event id counts once, whichever bound is met first. */
export interface DeduplicationWindow {
  /** Ids remembered per Kafka partition. */
  readonly ids: number;
  /** Age in Kafka's timestamps. */
  readonly hours: number;
}

/** A declared topic. */
export interface TopicDeclaration {
  readonly name: string;
  /** Never changes once the topic exists. */
  readonly partitions: number;
  readonly retentionMs: number;
  /** Per partition; -1 has no bound. */
  readonly retentionBytes: number;
  readonly records: RecordFormat;
  readonly deduplicate: DeduplicationWindow;
}

/** `deployment.json`. */
export interface DeploymentFile {
  readonly name: string;
  /** The shards that first own the partitions, by name. */
  readonly shards: readonly string[];
  /** Grid partitions, a power of two; never changes once the system exists. */
  readonly partitions: number;
  /** None where all data is loaded from files or written directly. */
  readonly topics: readonly TopicDeclaration[];
}

/** A declaration that its own library checks and compiles, as it was read. */
export interface RawDeclaration {
  /** Where it came from, relative to the folder: `cubes/sales.json`. */
  readonly file: string;
  readonly declaration: Readonly<Record<string, unknown>>;
}

/** A whole deployment folder. */
export interface Deployment extends DeploymentFile {
  readonly events: readonly EventTypeDeclaration[];
  readonly cells: readonly SchemaDeclaration[];
  readonly cubes: readonly RawDeclaration[];
  readonly edges: readonly RawDeclaration[];
  readonly mappings: readonly RawDeclaration[];
}

const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

/** Topics whose names end so hold what could not be read. */
export const DEAD_SUFFIX = '.dead';

const serviceName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name is a small letter, then small letters, digits and -, at most 32');

const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,200}$/, 'a topic name is 1 to 200 letters, digits, . _ -')
  .refine((name) => name !== '.' && name !== '..', 'this name is not possible in Kafka')
  .refine((name) => !name.endsWith(DEAD_SUFFIX), `names ending in ${DEAD_SUFFIX} are for dead letters`);

const windowSchema = z.strictObject({
  ids: z.int().min(1).max(16_777_216).default(1_000_000),
  hours: z.int().min(1).max(720).default(24),
});

const topicSchema = z.strictObject({
  name: topicName,
  partitions: z.int().min(1).max(1024).default(4),
  retentionMs: z
    .int()
    .min(60_000)
    .default(7 * DAY_MS),
  retentionBytes: z
    .union([z.literal(-1), z.int().min(1_048_576)], { error: 'expected -1 or at least 1048576' })
    .default(GIB),
  records: z.enum(['cloudevents', 'flat']).default('cloudevents'),
  deduplicate: windowSchema.prefault({}),
});

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;
const areDistinct = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** `deployment.json`, with its defaults filled in. */
export const deploymentSchema: z.ZodType<DeploymentFile> = z.strictObject({
  name: serviceName,
  shards: z.array(serviceName).min(1).max(1024).refine(areDistinct, 'a shard appears twice'),
  partitions: z.int().min(1).max(4096).refine(isPowerOfTwo, 'expected a power of two').default(64),
  topics: z
    .array(topicSchema)
    .max(64)
    .refine((topics) => areDistinct(topics.map((topic) => topic.name)), 'a topic appears twice')
    .default([]),
});
