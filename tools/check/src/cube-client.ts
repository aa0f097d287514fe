/** Reads cubes over HTTP, page by page, as any client would. */
import { delay, NiobeError, systemClock, until } from '@niobe/kernel';

/** One row of an answer: dimension values, pane and measures. */
export type CubeRow = Readonly<Record<string, string | number | boolean | null>>;

interface CubePage {
  readonly rows: readonly CubeRow[];
  readonly cursor?: string;
}

const PAGE_ROWS = 10_000;
const RETRY_PAUSE_MS = 200;
const RETRIES = 150;

export class CubeClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Every row of a query; parameters as in the HTTP interface. 503 is asked again, a bounded number of times. */
  async *rows(cube: string, parameters: Readonly<Record<string, string>>): AsyncGenerator<CubeRow> {
    let cursor: string | undefined;
    do {
      const page = await this.#page(cube, {
        limit: String(PAGE_ROWS),
        ...parameters,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* page.rows;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** The measure of the only group of the empty dimension set, 0 where nothing was counted yet. */
  async total(cube: string, measure: string, filters: Readonly<Record<string, string>> = {}): Promise<number> {
    for await (const row of this.rows(cube, { by: '', panes: 'merged', ...filters })) return Number(row[measure]);
    return 0;
  }

  /** Waits until the total has reached `count`. */
  async reaches(cube: string, measure: string, count: number, deadlineMs: number): Promise<void> {
    let last = 0;
    const reached = async (): Promise<boolean> => (last = await this.total(cube, measure)) >= count;
    try {
      await until(systemClock, reached, deadlineMs, `${cube}.${measure} of ${count}`, 25);
    } catch (error) {
      throw new NiobeError('DEADLINE', `${cube}.${measure} stopped at ${last} of ${count}`, {}, error);
    }
  }

  async #page(cube: string, parameters: Readonly<Record<string, string>>): Promise<CubePage> {
    const url = `${this.#url}/v1/cubes/${cube}?${new URLSearchParams(parameters).toString()}`;
    for (let attempt = 0; ; attempt++) {
      const answer = await attemptFetch(url);
      if (answer.status === 200) return JSON.parse(answer.body) as CubePage;
      if (attempt === RETRIES || (answer.status !== 503 && answer.status !== 0)) {
        throw new NiobeError('UNAVAILABLE', `${url} answered ${answer.status}: ${answer.body.slice(0, 300)}`);
      }
      await delay(systemClock, RETRY_PAUSE_MS);
    }
  }
}

async function attemptFetch(url: string): Promise<{ status: number; body: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    return { status: response.status, body: await response.text() };
  } catch {
    return { status: 0, body: '' };
  }
}
