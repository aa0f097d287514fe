import { describe, expect, it } from '@jest/globals';
import { NiobeError, silentLogger, systemClock } from '@niobe/kernel';
import { keepTrying } from './keep-trying.ts';

describe('keepTrying', () => {
  const patience = (signal = new AbortController().signal, said: string[] = []): Parameters<typeof keepTrying>[0] => ({
    clock: systemClock,
    logger: silentLogger,
    starting: (progress) => void said.push(progress),
    stopping: signal,
  });

  it('waits while what it needs is away, and says what for', async () => {
    const said: string[] = [];
    let attempts = 0;
    const result = await keepTrying(patience(undefined, said), 'NATS', () => {
      attempts += 1;
      if (attempts === 1) return Promise.reject(new NiobeError('UNAVAILABLE', 'nobody listens'));
      return Promise.resolve('connected');
    });
    expect(result).toBe('connected');
    expect(said).toEqual(['waiting for NATS: nobody listens']);
  });

  it('ends with what no retry can help', async () => {
    const refused = (): Promise<never> => Promise.reject(new NiobeError('BAD_CONFIG', 'nats-server is too old'));
    await expect(keepTrying(patience(), 'NATS', refused)).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });

  it('ends when the process is stopped', async () => {
    const stop = new AbortController();
    const waiting = keepTrying(patience(stop.signal), 'NATS', () =>
      Promise.reject(new NiobeError('UNAVAILABLE', 'away')),
    );
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
