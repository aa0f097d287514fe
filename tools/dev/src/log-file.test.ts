import { closeSync, existsSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logTail, openLog } from './log-file.ts';

describe('log files', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'niobe-log-'));
    path = join(folder, 'unit.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('reduces structured lines to what people read, and leaves out stack frames', () => {
    const lines = [
      'early',
      '{"level":"info","time":"2020","component":"x","msg":"draining"}',
      '{"level":"error","msg":"uncaught error","error":"out of disk","stack":"..."}',
      '{"half',
      'SyntaxError: no such export',
      '    at node:internal/modules/esm',
      '',
      'Node.js v26.0.0',
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    expect(logTail(path, 4)).toEqual([
      'info draining',
      'error uncaught error out of disk',
      '{"half',
      'SyntaxError: no such export',
    ]);
  });

  it('looks at the end of a long log only, and cuts long lines', () => {
    writeFileSync(path, `${'x\n'.repeat(1_000_000)}${'y'.repeat(500)}\n`);
    expect(logTail(path, 1)).toEqual(['y'.repeat(200)]);
  });

  it('has nothing to show of a log that is not there', () => {
    expect(logTail(path, 5)).toEqual([]);
  });

  it('appends, and puts a log aside that has grown large', () => {
    const write = (text: string): void => {
      const file = openLog(path);
      writeSync(file, text);
      closeSync(file);
    };
    write('one\n');
    write('two\n');
    expect(logTail(path, 5)).toEqual(['one', 'two']);
    expect(logTail(path, 5, 4)).toEqual(['two']);
    truncateSync(path, 16 * 1024 * 1024 + 1);
    write('three\n');
    expect(logTail(path, 5, 8)).toEqual(['three']);
    expect(existsSync(`${path}.1`)).toBe(true);
    expect(statSync(path).size).toBe(6);
  });
});
