import { systemClock, systemRandom, type Clock, type Logger, type Meter, type Random } from '@niobe/kernel';
import { Health, HttpServer, PrometheusMeter, type RunningService } from '@niobe/service';

/** A service of an embedded system: what the service host gives to a process of its own, given to a part of this one. */

export interface EmbeddedServiceStart {
  /** Such as `shard-0`. */
  readonly name: string;
  /** Kind of service, such as `storage-shard`; names its metrics. */
  readonly kind: string;
  readonly port: number;
  readonly logger: Logger;
  /** Aborted when everything is to stop. */
  readonly stopping: AbortSignal;
  readonly start: (parts: EmbeddedParts) => Promise<RunningService>;
}

/** What every service takes besides its adapters. */
export interface EmbeddedParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly starting: (progress: string) => void;
  readonly stopping: AbortSignal;
}

export class EmbeddedService {
  readonly name: string;
  readonly #http: HttpServer;
  readonly #service: RunningService;
  readonly #health: Health;

  private constructor(name: string, http: HttpServer, service: RunningService, health: Health) {
    this.name = name;
    this.#http = http;
    this.#service = service;
    this.#health = health;
  }

  /** Listens, starts the service and mounts its routes. Closes the port where the start fails. */
  static async start({ name, kind, port, logger, stopping, start }: EmbeddedServiceStart): Promise<EmbeddedService> {
    const health = new Health();
    const meter = new PrometheusMeter(kind);
    const http = await HttpServer.open({ host: '127.0.0.1', port, health, meter, logger, clock: systemClock });
    try {
      const starting = (progress: string): void => health.starting(progress);
      const parts = { clock: systemClock, random: systemRandom(), logger, meter, starting, stopping };
      const service = await start(parts);
      if (service.routes !== undefined) await http.mount(service.routes.bind(service));
      health.serving(() => service.readiness());
      return new EmbeddedService(name, http, service, health);
    } catch (error) {
      await http.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#health.draining();
    await this.#service.drain();
    await this.#http.close();
  }
}
