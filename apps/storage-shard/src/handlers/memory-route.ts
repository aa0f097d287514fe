import { NiobeError } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import { LARGEST_MAX } from '@niobe/store';
import type { MemoryHandler } from './memory.ts';

/** `GET /v1/memory?largest=20`: what the cells of this shard take. */

interface MemoryQuery {
  readonly Querystring: Readonly<Record<string, string | string[] | undefined>>;
}

const LARGEST_DEFAULT = 20;

/** The route. */
export function memoryRoutes(memory: MemoryHandler): Routes {
  return (app) => {
    app.get<MemoryQuery>('/v1/memory', async ({ query }) => memory.ask(readLargest(query)));
  };
}

function readLargest(query: MemoryQuery['Querystring']): number {
  const unknown = Object.keys(query).find((name) => name !== 'largest');
  if (unknown !== undefined)
    throw new NiobeError('BAD_REQUEST', `${unknown}: there is no such parameter; there is largest`, { path: unknown });
  const given = query['largest'] ?? String(LARGEST_DEFAULT);
  if (typeof given === 'string' && /^\d{1,4}$/.test(given) && Number(given) <= LARGEST_MAX) return Number(given);
  throw new NiobeError('BAD_REQUEST', `largest: a number of 0 to ${LARGEST_MAX} is needed`, { path: 'largest' });
}
