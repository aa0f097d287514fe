import { processFigures } from './process-figures.ts';

/** What the launchers of `@niobe/testing` give. */
interface RunningBroker {
  readonly pid: number;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** A broker that can be ended and started again on the same port and folder. */
export class Broker {
  readonly name: string;
  readonly address: string;
  readonly #launch: () => Promise<RunningBroker>;
  #running: RunningBroker | null = null;
  #cpuSecondsBefore = 0;

  constructor(name: string, address: string, launch: () => Promise<RunningBroker>) {
    this.name = name;
    this.address = address;
    this.#launch = launch;
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  get cpuSeconds(): number {
    return this.#cpuSecondsBefore + (this.#running === null ? 0 : processFigures(this.#running.pid).cpuSeconds);
  }

  async start(): Promise<void> {
    this.#running ??= await this.#launch();
  }

  async kill(): Promise<void> {
    await this.#take()?.kill();
  }

  async stop(): Promise<void> {
    await this.#take()?.stop();
  }

  #take(): RunningBroker | null {
    const running = this.#running;
    this.#cpuSecondsBefore = this.cpuSeconds;
    this.#running = null;
    return running;
  }
}
