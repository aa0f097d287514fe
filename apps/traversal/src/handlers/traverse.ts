import type { SchemaDeclaration } from '@niobe/cells';
import type { EdgeType } from '@niobe/graph';
import type { Clock, Histogram } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import { readSearch, type Searcher } from '@niobe/traversal';

/** `POST /v1/traverse`. A client that goes, and a process that ends, end its search. */

/** What the route needs. */
export interface TraverseParts {
  readonly vertices: readonly SchemaDeclaration[];
  readonly edges: readonly EdgeType[];
  readonly searcher: Searcher;
  readonly clock: Clock;
  readonly searchSeconds: Histogram;
  /** Aborted when the process is about to end. */
  readonly ending: AbortSignal;
}

/** The route. */
export function traverseRoutes({ vertices, edges, searcher, clock, searchSeconds, ending }: TraverseParts): Routes {
  return (app) => {
    app.post('/v1/traverse', async ({ body }, reply) => {
      const startMs = clock.monotonicMs();
      const search = readSearch(body, edges, vertices);
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      reply.raw.once('close', leave);
      try {
        return await searcher.search(search, AbortSignal.any([gone.signal, ending]));
      } finally {
        reply.raw.off('close', leave);
        searchSeconds.observe((clock.monotonicMs() - startMs) / 1000);
      }
    });
  };
}
