import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { SEGMENT_HEADER_BYTES } from '@niobe/disk';
import { readBatches } from '@niobe/store';
import { dumpSegment, type DumpOptions } from './dump-segment.ts';
import { readSegmentFile } from './segment-file.ts';

const fixtures = join(import.meta.dirname, '../../../libs/store/fixtures');
const segment = (format: number, number: number): Uint8Array =>
  new Uint8Array(readFileSync(join(fixtures, `format-${format}/${number}.segment`)));

function dump(bytes: Uint8Array, options: Partial<DumpOptions> = {}): { isFine: boolean; lines: string[] } {
  const lines: string[] = [];
  const all = { json: false, cells: false, durableBytes: 0, ...options };
  return { isFine: dumpSegment(bytes, all, (line) => lines.push(line)), lines };
}

describe('a dump', () => {
  const bytes = segment(2, 1);

  it('tells start, batches and end', () => {
    const { isFine, lines } = dump(bytes);
    expect(isFine).toBe(true);
    expect(lines[0]).toBe('segment 1 of partition 3, format 2, opened 2023-11-14T22:13:20.000Z in epoch 1');
    expect(lines[1]).toMatch(
      /^@0 {2}batch 1\.5 {2}2023-11-14T22:13:20\.000Z {2}\d+ bytes, CRC checks: 3 cells, 1 schema$/,
    );
    expect(lines.at(-1)).toBe(`whole: ${bytes.length} bytes check`);
    expect(lines).toHaveLength([...readBatches(bytes)].length + 2);
  });

  it('tells entries with what they hold', () => {
    const cells = dump(bytes, { json: true, cells: true }).lines.map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    const first = cells.find(({ is, key }) => is === 'cell' && key === 'one')!;
    expect(first).toMatchObject({ schema: 'everything', schemaId: 16, generation: 0, epoch: 1, expires: null });
    expect(first['record']).toMatchObject({ whole: '-9007199254740993', price: '-12345.67', raw: '00ff01' });
    expect(cells.filter(({ is }) => is === 'tombstone')).toHaveLength(3);
    expect(cells.filter(({ expires }) => typeof expires === 'string')).toHaveLength(2);
    expect(cells.at(-1)).toEqual({ is: 'end', validBytes: bytes.length, restBytes: 0, end: 'whole' });
  });

  it('tells cells whose schema is defined in another segment by their bytes', () => {
    const { lines } = dump(segment(2, 3), { cells: true });
    expect(lines.join('\n')).toMatch(/cell #16 slot 0 .*"keyHex":"7a65726f"/);
  });

  it('tells damage from a torn tail', () => {
    const torn = dump(bytes.subarray(0, bytes.length - 5));
    expect([torn.isFine, torn.lines.at(-1)]).toEqual([
      true,
      expect.stringMatching(/^torn tail of \d+ bytes at byte \d+/),
    ]);
    expect(dump(bytes.subarray(0, bytes.length - 5), { durableBytes: bytes.length }).isFine).toBe(false);
    const flipped = bytes.slice();
    flipped[60] = flipped[60]! ^ 1;
    const damaged = dump(flipped);
    expect([damaged.isFine, damaged.lines.at(-1)]).toEqual([false, expect.stringMatching(/^DAMAGED/)]);
  });

  it('names another format', () => {
    const { isFine, lines } = dump(segment(1, 1));
    expect([isFine, lines]).toEqual([false, ['of format 1; this version reads 2: use the version that wrote it']]);
  });
});

describe('a segment file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segment-dump-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('may have the header of a backup store before it', () => {
    const bytes = segment(2, 2);
    const kept = new Uint8Array(SEGMENT_HEADER_BYTES + bytes.length);
    kept.set(new TextEncoder().encode('NIOBESEG'));
    kept.set(bytes, SEGMENT_HEADER_BYTES);
    const path = join(folder, '2-2.segment');
    writeFileSync(path, kept);
    expect(readSegmentFile(path)).toMatchObject({ layout: 'backup', bytes });
    expect(readSegmentFile(join(fixtures, 'format-2/2.segment'))).toMatchObject({ layout: 'raw', bytes });
    expect(() => readSegmentFile(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('is dumped by the command, whose exit code tells damage', () => {
    const run = (...args: string[]): { code: number; out: string } => {
      const command = ['--conditions=@niobe/source', '--no-warnings', join(import.meta.dirname, 'main.ts'), ...args];
      try {
        return { code: 0, out: execFileSync(process.execPath, command, { encoding: 'utf8', stdio: 'pipe' }) };
      } catch (error) {
        const { status, stdout } = error as { status: number; stdout: string };
        return { code: status, out: stdout };
      }
    };
    expect(run(join(fixtures, 'format-2/1.segment'))).toMatchObject({ code: 0, out: expect.stringMatching(/whole:/) });
    expect(run(join(fixtures, 'format-1/1.segment')).code).toBe(1);
    expect(run(join(folder, 'none')).code).toBe(1);
    expect(run().code).toBe(64);
    expect(run('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/Exit code/) });
  });
});
