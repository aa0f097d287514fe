import { AckPolicy, DeliverPolicy, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { createInbox, nanos, nuid, type Msg } from '@nats-io/transport-node';
import { deferred, type Deferred, type Timer } from '@niobe/kernel';
import { readDelivery } from './delivery.ts';
import type { NatsLink } from './nats-link.ts';
import { unswallowed } from './unswallowed.ts';

/**
 * One reading of a bucket: the newest message of every key, then every change, until something is not in order.
 *
 * An ephemeral push consumer numbers what it delivers and sends a heartbeat when it has nothing to deliver. A gap in the numbers, a
 * silence of {@link SILENCE_MS}, or any other status ends the session; whoever wants to go on begins a new one from the start. (The
 * client library's ordered consumer notices a dead consumer only after a minute.)
 */

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 3_500;
/** The server forgets a consumer whose reader has gone for this long. */
const ABANDONED_MS = 30_000;

const CONTROL = 100;
const LAST_DELIVERED = 'Nats-Last-Consumer';
const STALLED = 'Nats-Consumer-Stalled';
const OPERATION = 'KV-Operation';
const EMPTY = new Uint8Array(0);

/** A change of one key as the bucket's stream has it. */
export interface Change {
  readonly bucketKey: string;
  /** Null for a delete marker. */
  readonly value: Uint8Array | null;
  readonly revision: number;
}

/** What a session calls. */
export interface SessionListener {
  change(change: Change): void;
  /** All that was there has been told; once a session. */
  caughtUp(): void;
}

/** A running session. */
export class WatchSession {
  /** Resolves, with the reason, when the session tells nothing any more. */
  readonly ended: Promise<string>;
  readonly #link: NatsLink;
  readonly #prefix: string;
  readonly #listener: SessionListener;
  readonly #ended: Deferred<string> = deferred<string>();
  #delivered = 0;
  #caughtUp = false;
  #over = false;
  #silence: Timer;

  private constructor(link: NatsLink, prefix: string, listener: SessionListener) {
    this.#link = link;
    this.#prefix = prefix;
    this.#listener = listener;
    this.ended = this.#ended.promise;
    this.#silence = this.#awaitSound();
  }

  /** Begins to read `bucket`. Throws what JetStream throws. */
  static async start(link: NatsLink, bucket: string, listener: SessionListener): Promise<WatchSession> {
    const manager = await jetstreamManager(link.connection, { checkAPI: false });
    const session = new WatchSession(link, `$KV.${bucket}.`, listener);
    try {
      await session.#consume(manager, `KV_${bucket}`);
      return session;
    } catch (error) {
      session.end('it could not be begun');
      throw error;
    }
  }

  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#silence.cancel();
    this.#ended.resolve(reason);
  }

  async #consume(manager: JetStreamManager, stream: string): Promise<void> {
    const inbox = createInbox();
    const name = `niobe-watch-${nuid.next()}`;
    const subscription = this.#link.connection.subscribe(inbox, {
      callback: (_error, message) => unswallowed(() => this.#take(message)),
    });
    void this.ended.then(() => {
      subscription.unsubscribe();
      if (this.#link.status() === 'connected') manager.consumers.delete(stream, name).catch(() => undefined);
    });
    const info = await manager.consumers.add(stream, {
      name,
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.LastPerSubject,
      filter_subject: `${this.#prefix}>`,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(ABANDONED_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    if (info.num_pending === 0 && this.#delivered === 0) this.#reachEnd();
  }

  #take(message: Msg): void {
    if (this.#over) return;
    this.#silence.cancel();
    this.#silence = this.#awaitSound();
    const code = message.headers?.code ?? 0;
    if (code === CONTROL) this.#takeControl(message);
    else if (code !== 0) this.end(`the server says ${code} ${message.headers!.description}`);
    else this.#takeChange(message);
  }

  #takeControl(message: Msg): void {
    if (message.respond(EMPTY)) return;
    const stalled = message.headers!.get(STALLED);
    if (stalled !== '') this.#link.connection.publish(stalled, EMPTY);
    else if (Number(message.headers!.get(LAST_DELIVERED)) !== this.#delivered) this.end('a message is missing');
    else this.#reachEnd();
  }

  #takeChange(message: Msg): void {
    const delivery = readDelivery(message.reply ?? '');
    if (delivery === null || delivery.deliverySequence !== this.#delivered + 1) {
      this.end('a message is missing');
      return;
    }
    this.#delivered += 1;
    const operation = message.headers?.get(OPERATION) ?? '';
    this.#listener.change({
      bucketKey: message.subject.slice(this.#prefix.length),
      value: operation === 'DEL' || operation === 'PURGE' ? null : message.data,
      revision: delivery.streamSequence,
    });
    if (delivery.pending === 0) this.#reachEnd();
  }

  #reachEnd(): void {
    if (this.#caughtUp || this.#over) return;
    this.#caughtUp = true;
    this.#listener.caughtUp();
  }

  #awaitSound(): Timer {
    return this.#link.clock.after(SILENCE_MS, () => this.end(`nothing was heard for ${SILENCE_MS} ms`), true);
  }
}
