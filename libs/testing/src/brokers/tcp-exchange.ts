import { connect } from 'node:net';

const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Opens a connection to a port of 127.0.0.1, sends `request`, collects bytes until `isComplete` says so, and closes.
 * Rejects if the connection fails, ends early, or is silent for 5 s.
 */
export function exchange(port: number, request: Buffer, isComplete: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(`port ${port} of 127.0.0.1: ${reason}`));
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail('no answer'));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed before its answer was complete'));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (!isComplete(received)) return;
      resolve(received);
      socket.destroy();
    });
  });
}
