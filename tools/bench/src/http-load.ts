/**
 * A closed-loop HTTP/1.1 load: so many keep-alive connections, each with one request under way. Written over bare sockets, so that the
 * load costs little beside what it measures.
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '@niobe/kernel';
import { quantile } from './measure.ts';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Path and body of the next request. */
  readonly next: () => { path: string; body: string };
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 2xx, and connections that broke. */
  readonly errors: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Runs the load and gives its figures; ends by itself after `durationMs` and the answers under way. */
export async function httpLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let errors = 0;
  const startMs = systemClock.monotonicMs();
  const endMs = startMs + options.durationMs;
  const answered = (status: number, ms: number): boolean => {
    if (status >= 200 && status < 300) latencies.push(ms);
    else errors += 1;
    return systemClock.monotonicMs() < endMs;
  };
  const broken = (): void => void (errors += 1);
  await Promise.all(Array.from({ length: options.connections }, () => drive(options, answered, broken)));
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  latencies.sort((a, b) => a - b);
  return {
    requestsPerSecond: latencies.length / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    errors,
  };
}

/** One connection: request, answer, request, until `answered` says that time is over. */
function drive(
  options: LoadOptions,
  answered: (status: number, ms: number) => boolean,
  broken: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    let sentMs = 0;
    let finished = false;
    const send = (): void => {
      sentMs = systemClock.monotonicMs();
      writeRequest(socket, options);
    };
    socket.on('connect', send);
    onAnswers(socket, (status) => {
      if (answered(status, systemClock.monotonicMs() - sentMs)) send();
      else {
        finished = true;
        socket.end();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!finished) broken();
      resolve();
    });
  });
}

function writeRequest(socket: Socket, options: LoadOptions): void {
  const { path, body } = options.next();
  const bytes = Buffer.byteLength(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n${body}`,
  );
}

/** Cuts what arrives into answers by their content-length and reports the status of each. */
function onAnswers(socket: Socket, answer: (status: number) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    for (let whole = wholeAnswer(waiting); whole !== null; whole = wholeAnswer(waiting)) {
      waiting = waiting.subarray(whole.bytes);
      answer(whole.status);
    }
  });
}

function wholeAnswer(bytes: Buffer): { status: number; bytes: number } | null {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /content-length: (\d+)/i.exec(head);
  const total = headEnd + HEAD_END.length + Number(length?.[1] ?? 0);
  return bytes.length < total ? null : { status: Number(head.slice(9, 12)), bytes: total };
}
