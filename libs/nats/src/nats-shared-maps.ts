import { Kvm } from '@nats-io/kv';
import type { ParseRow, SharedMap, SharedMaps } from '@niobe/grid';
import { NiobeError, randomHex, type Random } from '@niobe/kernel';
import { Bucket } from './bucket.ts';
import type { NatsLink } from './nats-link.ts';
import { NatsSharedMap } from './nats-shared-map.ts';

const NAME = /^[a-z0-9-]{1,32}$/;

/** What maps need beyond the connection. */
export interface NatsSharedMapsOptions {
  readonly deployment: string;
  readonly replicas: 1 | 3 | 5;
  readonly random: Random;
}

/** Shared maps over buckets of NATS JetStream, named `niobe-<deployment>-<map>`. */
export class NatsSharedMaps implements SharedMaps {
  readonly #link: NatsLink;
  readonly #options: NatsSharedMapsOptions;
  readonly #writer: string;
  #opened = 0;
  readonly #open = new Set<SharedMap<unknown>>();

  constructor(link: NatsLink, options: NatsSharedMapsOptions) {
    if (!NAME.test(options.deployment))
      throw new NiobeError(
        'BAD_CONFIG',
        `deployment "${options.deployment}" is not usable: 1 to 32 of a-z, 0-9 and "-"`,
      );
    this.#link = link;
    this.#options = options;
    this.#writer = randomHex(options.random, 8);
  }

  /** Creates the bucket where it is missing. `UNKNOWN` if JetStream does not answer in time. */
  async open<T>(name: string, parse: ParseRow<T>): Promise<SharedMap<T>> {
    if (!NAME.test(name)) throw new NiobeError('BAD_REQUEST', `"${name}" is no name of a shared map`);
    const bucketName = `niobe-${this.#options.deployment}-${name}`;
    const bucket = new Bucket(new Kvm(this.#link.connection), bucketName, this.#options.replicas, this.#link);
    await bucket.ensure();
    const map = new NatsSharedMap(name, bucket, parse, `${this.#writer}-${this.#opened++}`);
    this.#open.add(map as SharedMap<unknown>);
    return map;
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    for (const map of this.#open) map.close();
    this.#open.clear();
  }
}
