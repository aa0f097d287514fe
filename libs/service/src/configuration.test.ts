import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeVariables, readConfiguration } from './configuration.ts';
import { bytesVariable, hostVariables, namesVariable } from './variables.ts';

const schema = z.object({
  ...hostVariables({ name: 'shard-0', port: 7720 }),
  NIOBE_STORE_BYTES: bytesVariable('1GiB', 16 * 1024 ** 2, 16 * 1024 ** 3).describe('memory for cells'),
  NIOBE_BACKUPS: namesVariable().describe('names of the backup servers'),
});

describe('readConfiguration', () => {
  it('applies defaults and units, ignores what is not declared, and freezes', () => {
    const config = readConfiguration(schema, { NIOBE_BACKUPS: 'backup-0, backup-1', NIOBE_LOG_LEVEL: '', HOME: '/x' });
    expect(config).toEqual({
      NIOBE_NAME: 'shard-0',
      NIOBE_HTTP_PORT: 7720,
      NIOBE_HTTP_HOST: '127.0.0.1',
      NIOBE_LOG_LEVEL: 'info',
      NIOBE_STORE_BYTES: 1024 ** 3,
      NIOBE_BACKUPS: ['backup-0', 'backup-1'],
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every variable that is wrong at once', () => {
    const environment = { NIOBE_HTTP_PORT: '70000', NIOBE_HTTP_HOST: '0.0.0.0', NIOBE_STORE_BYTES: '5 GB' };
    expect(() => readConfiguration(schema, environment)).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: [
          'NIOBE_HTTP_PORT=70000: expected a port from 0 to 65535',
          'NIOBE_HTTP_HOST=0.0.0.0: only loopback is allowed: 127.0.0.1, ::1, localhost',
          'NIOBE_STORE_BYTES=5 GB: expected bytes, such as 67108864, 512MiB or 1GiB',
          'NIOBE_BACKUPS is missing: names of the backup servers',
        ].join('\n'),
      }),
    );
  });

  it.each([['backup-0,,backup-1'], ['a,a'], ['a b']])('refuses the names %j', (names) => {
    expect(() => readConfiguration(schema, { NIOBE_BACKUPS: names })).toThrow(/NIOBE_BACKUPS=/);
  });

  it('describes the variables for --help', () => {
    const text = describeVariables(schema);
    expect(text).toContain('NIOBE_STORE_BYTES  memory for cells (default 1GiB)');
    expect(text).toContain('NIOBE_BACKUPS      names of the backup servers (required)');
    expect(text).toContain('NIOBE_NAME         name of this process in the grid (default shard-0)');
  });
});
