import { messageOf, type Random } from '@niobe/kernel';
import type { EventLine } from '../batch-sender.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { mutate } from './mutation.ts';

/** Mutated event posts, batches and cube queries over HTTP. What is still valid counts, once for each id. */
export class HttpGarbage {
  readonly name = 'HTTP';
  readonly #system: LocalSystem;
  readonly #lines: readonly EventLine[];
  sent = 0;
  accepted = 0;
  complaint = '';

  private constructor(system: LocalSystem, lines: readonly EventLine[]) {
    this.#system = system;
    this.#lines = lines;
  }

  static open(system: LocalSystem, lines: readonly EventLine[]): Promise<HttpGarbage> {
    return Promise.resolve(new HttpGarbage(system, lines));
  }

  async send(random: Random): Promise<void> {
    this.sent += 1;
    const kind = random.below(3);
    if (kind === 2) await this.#query(random);
    else await this.#post(random, kind === 0 ? '/v1/events' : '/v1/batch');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #query(random: Random): Promise<void> {
    const valid = 'by=product,country&product=85123A&from=2011-01-04T00:00:00Z&panes=each&order=-lines&limit=10';
    const mutated = new TextDecoder().decode(mutate(new TextEncoder().encode(valid), random));
    const query = encodeURIComponent(mutated).replaceAll('%26', '&').replaceAll('%3D', '=');
    await this.#exchange(`${this.#system.analytics.url}/v1/cubes/sales_by_day?${query}`, {});
  }

  async #post(random: Random, path: string): Promise<void> {
    const text = path === '/v1/events' ? this.#event(random) : `[${this.#event(random)},${this.#event(random)}]`;
    const body = mutate(new TextEncoder().encode(text), random);
    const answer = await this.#exchange(`${this.#system.ingest.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (answer === null) return;
    if (path === '/v1/events' && answer.status === 202) this.accepted += 1;
    if (path === '/v1/batch' && answer.status < 300) this.accepted += Number(answer.json['accepted']);
  }

  /** A valid event with an identity of its own, so that what stays valid is counted once. A mutated id may still repeat one. */
  #event(random: Random): string {
    const line = this.#lines[random.below(this.#lines.length)];
    const event = JSON.parse(line?.json ?? '{}') as object;
    return JSON.stringify({ ...event, id: `mutated-${this.sent}-${random.u32()}-${random.u32()}` });
  }

  async #exchange(url: string, init: RequestInit): Promise<{ status: number; json: Record<string, unknown> } | null> {
    try {
      const response = await fetch(url, init);
      const text = await response.text();
      const json = JSON.parse(text) as Record<string, unknown>;
      const good =
        response.status < 300 ||
        (typeof json['code'] === 'string' && (response.status < 500 || response.status === 503));
      if (!good) this.#complain(`${response.status} ${text.slice(0, 200)}`);
      return { status: response.status, json };
    } catch (error) {
      this.#complain(`${url.slice(0, 120)}: ${messageOf(error)}`);
      return null;
    }
  }

  #complain(what: string): void {
    if (this.complaint === '') this.complaint = what;
  }
}
