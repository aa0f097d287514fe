import { exchange } from './tcp-exchange.ts';

/** What a nats-server says about itself in the line that opens every connection; the part of it used here. */
export interface NatsInfo {
  readonly version: string;
  readonly jetstream?: boolean;
}

const INFO = /^INFO (\{.*\})/;

/** Connects to a nats-server on 127.0.0.1, waits for its answer to a ping, and returns its INFO. */
export async function natsInfo(port: number): Promise<NatsInfo> {
  // The ping is answered only when the server has accepted the client, not merely the connection.
  const request = Buffer.from('CONNECT {"verbose":false}\r\nPING\r\n');
  const answer = await exchange(port, request, (bytes) => bytes.includes('PONG\r\n') || bytes.includes('-ERR'));
  const info = INFO.exec(answer.toString('utf8'));
  if (!info) throw new Error(`port ${port} of 127.0.0.1 does not answer as a nats-server`);
  return JSON.parse(info[1] as string) as NatsInfo;
}
