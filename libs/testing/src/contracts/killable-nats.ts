import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats, type NatsServer } from '../brokers/nats-server.ts';

/** A nats-server of one test that can be killed with -9 and started again on the same port and store. */
export class KillableNats {
  readonly #dataDir: string;
  #server: NatsServer;

  private constructor(dataDir: string, server: NatsServer) {
    this.#dataDir = dataDir;
    this.#server = server;
  }

  static async start(): Promise<KillableNats> {
    const dataDir = mkdtempSync(join(tmpdir(), 'niobe-nats-'));
    return new KillableNats(dataDir, await startNats({ dataDir }));
  }

  get url(): string {
    return this.#server.url;
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  /** Freezes it: connections stay open and nothing answers. */
  pause(): void {
    this.#server.pause();
  }

  resume(): void {
    this.#server.resume();
  }

  async restart(): Promise<void> {
    this.#server = await startNats({ dataDir: this.#dataDir, port: this.#server.port });
  }

  /** As after the loss of its disk. */
  async restartEmpty(): Promise<void> {
    rmSync(join(this.#dataDir, 'jetstream'), { recursive: true, force: true });
    await this.restart();
  }

  async remove(): Promise<void> {
    await this.#server.kill();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
