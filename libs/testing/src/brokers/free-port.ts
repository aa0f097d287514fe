import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

// Below the range from which the operating system takes the local ports of outgoing connections (32768 and up on
// Linux, 49152 elsewhere): a port from there could be taken between this call and the caller's listen.
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;
const ATTEMPTS_PER_PORT = 200;

/** Returns a TCP port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/**
 * Returns `count` distinct free TCP ports of 127.0.0.1.
 *
 * All are held open until the last is found, so that none is given twice. Another process may still take one before
 * the caller listens on it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenSomewhere));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** True if nobody listens on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = await tryListen(port);
  if (server) await close(server);
  return server !== null;
}

async function listenSomewhere(): Promise<Server> {
  for (let attempt = 0; attempt < ATTEMPTS_PER_PORT; attempt += 1) {
    const server = await tryListen(FIRST_PORT + Math.floor(Math.random() * PORT_COUNT));
    if (server) return server;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT} after ${ATTEMPTS_PER_PORT} tries`);
}

async function tryListen(port: number): Promise<Server | null> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  } catch {
    return null;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
