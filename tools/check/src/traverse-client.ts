/** Asks `traversal` over HTTP, as any client would. */
import { NiobeError } from '@niobe/kernel';

/** One vertex of an answer. */
export interface FoundVertex {
  readonly schema: string;
  readonly key: string | number;
  readonly level: number;
  readonly count?: number;
}

export interface FoundVertices {
  readonly vertices: readonly FoundVertex[];
  readonly total: number;
}

export interface FoundLevels {
  readonly levels: readonly number[];
  readonly reached: number;
  readonly depth: number;
}

/** An answer whatever its status; status 0 when there was none. */
export interface TraverseAnswer {
  readonly status: number;
  /** Code of a problem, empty in other answers. */
  readonly code: string;
  readonly text: string;
}

const TIMEOUT_MS = 90_000;

export class TraverseClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The vertices that a search finds; `UNAVAILABLE` with the problem where it was refused. */
  vertices(request: object): Promise<FoundVertices> {
    return this.#found({ return: 'vertices', ...request }) as Promise<FoundVertices>;
  }

  /** Level counts of a search. */
  levels(request: object): Promise<FoundLevels> {
    return this.#found({ return: 'levels', ...request }) as Promise<FoundLevels>;
  }

  async #found(request: object): Promise<unknown> {
    const { status, text } = await this.post(JSON.stringify(request));
    if (status === 200) return JSON.parse(text);
    throw new NiobeError('UNAVAILABLE', `${JSON.stringify(request)} was answered ${status}: ${text.slice(0, 300)}`);
  }

  /** Posts any body as a search. */
  async post(
    body: string | Uint8Array<ArrayBuffer>,
    contentType: string = 'application/json',
  ): Promise<TraverseAnswer> {
    return this.#exchange('/v1/traverse', { method: 'POST', headers: { 'content-type': contentType }, body });
  }

  /** Gets a path below `/v1/`. */
  get(path: string): Promise<TraverseAnswer> {
    return this.#exchange(`/v1/${path}`, {});
  }

  async #exchange(path: string, request: RequestInit): Promise<TraverseAnswer> {
    try {
      const response = await fetch(this.#url + path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      return { status: response.status, text, code: response.ok ? '' : codeOf(text) };
    } catch {
      return { status: 0, text: '', code: '' };
    }
  }
}

function codeOf(text: string): string {
  try {
    return (JSON.parse(text) as { code?: string }).code ?? '';
  } catch {
    return '';
  }
}
