import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP server that answers as the collector would, where a test decides when it refuses. */

export interface StandInCollector extends AsyncDisposable {
  readonly url: string;
  /** Every event that was acknowledged, in order; an event sent twice is here twice. */
  readonly taken: { id: string; source: string; type: string }[];
  requests: number;
}

/** What a test wants instead of 202; undefined takes the batch. */
export type Refusal =
  | { status: number; headers?: Record<string, string>; body?: object; takeFirst?: number }
  | 'hang up after taking'
  | undefined;

export async function standInCollector(
  refuse: (request: number, events: readonly { id: string }[]) => Refusal,
): Promise<StandInCollector> {
  const taken: StandInCollector['taken'] = [];
  const server = createServer((request, response) => void answer(request, response));
  const standIn = {
    url: '',
    taken,
    requests: 0,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const events = JSON.parse((await request.toArray()).join('')) as StandInCollector['taken'];
    const refusal = refuse(standIn.requests++, events);
    if (refusal === 'hang up after taking' || refusal === undefined) taken.push(...events);
    if (refusal === 'hang up after taking') return void request.socket.destroy();
    if (refusal === undefined) return void response.writeHead(202).end(JSON.stringify({ accepted: events.length }));
    taken.push(...events.slice(0, refusal.takeFirst ?? 0));
    response.writeHead(refusal.status, refusal.headers).end(JSON.stringify(refusal.body ?? {}));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  standIn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return standIn;
}
