import type { NatsConnection, Status } from '@nats-io/transport-node';
import type { BusStatus } from '@niobe/grid';
import { withDeadline, type Clock, type Logger, type Timer } from '@niobe/kernel';

const FLUSH_TIMEOUT_MS = 1_000;

/** One connection to NATS and whether it stands; shared by the bus and the maps. The client library reconnects for ever. */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly #listeners = new Set<(status: BusStatus) => void>();
  #status: BusStatus = 'connected';
  #closing = false;

  constructor(connection: NatsConnection, clock: Clock, logger: Logger) {
    this.connection = connection;
    this.clock = clock;
    this.logger = logger;
    void this.#follow();
  }

  status(): BusStatus {
    return this.#status;
  }

  onStatus(listener: (status: BusStatus) => void): Timer {
    this.#listeners.add(listener);
    return { cancel: () => void this.#listeners.delete(listener) };
  }

  /** Sends what is under way, for a second at most, and ends the connection. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#status === 'connected')
      await withDeadline(this.clock, this.connection.flush(), FLUSH_TIMEOUT_MS, 'sending the last messages').catch(
        () => undefined,
      );
    await this.connection.close();
    this.#turn('disconnected');
  }

  async #follow(): Promise<void> {
    for await (const change of this.connection.status()) this.#take(change);
  }

  #take(change: Status): void {
    if (change.type === 'disconnect' || change.type === 'close') this.#turn('disconnected');
    else if (change.type === 'reconnect') this.#turn('connected');
    else if (change.type === 'error') this.logger.warn({ reason: change.error.message }, 'NATS reports an error');
  }

  #turn(status: BusStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    if (!this.#closing) this.logger.warn({ status }, `the connection to NATS is ${status}`);
    for (const listener of this.#listeners) listener(status);
  }
}
